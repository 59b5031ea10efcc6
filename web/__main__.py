"""`python -m web`: the page."""

from core.command_line import run
from web.command import web_command

if __name__ == "__main__":
    run(web_command, program="python -m web")
