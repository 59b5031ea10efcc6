"""`python -m deploy.local COMMAND`: the embedded stack of one folder, by default `.local`."""

from core.command_line import run
from deploy.local.commands import app, sentence_on_disk

if __name__ == "__main__":
    run(app, translate=sentence_on_disk)
