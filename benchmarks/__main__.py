"""`python -m benchmarks NAME`: run a benchmark; `--help` lists them."""

from benchmarks.commands import app
from core.command_line import run

if __name__ == "__main__":
    run(app)
