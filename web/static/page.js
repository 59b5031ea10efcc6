// The live channel for htmx, which loads a page again on the events `alert` and `reset` of #live; times in the reader's zone.
"use strict";

const CHANNEL = "groundswell-live";
const RETRY_MS = 5000;

// A browser keeps six connections to a host. So one tab listens, and tells the others; the next takes over when it closes.
function follow(live) {
  const others = new BroadcastChannel(CHANNEL);
  const tell = (name) => live.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  others.addEventListener("message", (message) => tell(message.data));

  function listen() {
    const source = new EventSource(live.dataset.stream);
    for (const name of ["alert", "reset"]) {
      source.addEventListener(name, () => {
        tell(name);
        others.postMessage(name);
      });
    }
    source.addEventListener("error", () => {
      // It connects again by itself unless it was answered with an error.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
    });
  }

  if (!navigator.locks) {
    listen();
    return;
  }
  navigator.locks.request(CHANNEL, { ifAvailable: true }, (lock) => {
    if (lock) {
      listen();
      return new Promise(() => {});
    }
    navigator.locks.request(CHANNEL, () => {
      listen();
      tell("reset"); // what came between the two listeners
      return new Promise(() => {});
    });
    return undefined;
  });
}

function showLocalTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) time.title = `${moment.toLocaleString()} (your time)`;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  showLocalTimes();
  const live = document.getElementById("live");
  if (live) follow(live);
});
document.addEventListener("htmx:after:swap", showLocalTimes);
