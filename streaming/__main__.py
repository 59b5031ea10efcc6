"""`python -m streaming`: as `groundswell stream`."""

from core.command_line import run
from streaming.command import stream_command

if __name__ == "__main__":
    run(stream_command)
