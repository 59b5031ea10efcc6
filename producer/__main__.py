"""`python -m producer [send|simulate]`: as `groundswell send` and `groundswell simulate`."""

from core.command_line import run
from producer.cli import app

if __name__ == "__main__":
    run(app)
