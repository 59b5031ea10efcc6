"""`python -m alerts.explain`: as `groundswell explain`."""

from alerts.explain.command import main
from core.command_line import run

if __name__ == "__main__":
    run(main)
