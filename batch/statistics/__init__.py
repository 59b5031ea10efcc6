"""From a day's counts to the statistics that judge the days after it."""
