"""Backtest: what the rule of Groundswell would have said of counts of the past; `groundswell backtest`."""
