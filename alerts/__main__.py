"""`python -m alerts`: as `groundswell alerts`."""

from alerts.listing import main
from core.command_line import run

if __name__ == "__main__":
    run(main)
