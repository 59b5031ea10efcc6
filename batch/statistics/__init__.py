"""From a day of counts to the statistics by which the days after it are judged."""
