"""Apply a rule to past counts or archived posts, as `groundswell backtest` does."""
