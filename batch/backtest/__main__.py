"""`python -m batch.backtest`: as `groundswell backtest`."""

from batch.backtest.command import app
from core.command_line import run

if __name__ == "__main__":
    run(app)
