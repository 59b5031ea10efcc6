"""`python -m batch DAY`: as `groundswell batch`; with `audit`, `rebuild`, `register`, `import` as those."""

from batch.commands import app
from core.command_line import run

if __name__ == "__main__":
    run(app)
