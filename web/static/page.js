// What only a browser knows: times in the reader's own zone as a hint, and a pause for reading undisturbed.
"use strict";

function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) time.title = `${moment.toLocaleString()} (your time)`;
  }
}

document.addEventListener("DOMContentLoaded", () => showLocalTimes(document));
document.addEventListener("htmx:after:swap", () => showLocalTimes(document));
