"""`python -m sql migrate|export|status|metrics`: the commands that need Postgres alone."""

from core.command_line import run
from sql.commands import app

if __name__ == "__main__":
    run(app)
