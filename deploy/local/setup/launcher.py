"""The command `groundswell` of a checkout: a script in the virtual environment that runs the code as it is.

The project itself is not installed there, so changes take effect at once. Uses the standard library alone, as
set-up runs on the system's Python.
"""

import shlex
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def is_written(venv: Path) -> bool:
    """Return whether the environment has the command of this checkout."""
    try:
        return _path(venv).read_text() == _script(venv)
    except OSError:
        return False


def write(venv: Path) -> None:
    """Write the command into the environment, replacing any other."""
    new = _path(venv).with_name("groundswell.new")
    new.write_text(_script(venv))
    new.chmod(0o755)
    new.replace(_path(venv))


def _path(venv: Path) -> Path:
    return venv / "bin" / "groundswell"


def _script(venv: Path) -> str:
    # PYTHONPATH and not sys.path: Spark's workers import the project too, whatever the current folder is.
    # -P keeps that folder from hiding the project's packages.
    return (
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(REPOSITORY))}${{PYTHONPATH:+:$PYTHONPATH}} "
        f'exec {shlex.quote(str(venv / "bin" / "python"))} -P -m groundswell "$@"\n'
    )
