"""`python -m benchmarks.accuracy`: as `python -m benchmarks accuracy`."""

from benchmarks.accuracy.command import main
from core.command_line import run

if __name__ == "__main__":
    run(main)
