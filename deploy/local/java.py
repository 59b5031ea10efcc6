"""Java for the servers: the program, and the command line of a main class."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from core.errors import NotReadyError
from deploy.local.layout import Layout
from deploy.local.setup.preflight import java_problem


def java_program() -> str:
    """Return $JAVA_HOME/bin/java if that is set, else the java on the PATH."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def java_command(
    layout: Layout, jars: str, options: Sequence[str], main_class: str, *arguments: str
) -> list[str]:
    """Return the command that runs `main_class` with the archives of a folder.

    Raises NotReadyError if Java or the archives are missing.
    """
    problem = None if shutil.which(java_program()) else java_problem(os.environ)
    if problem:
        raise NotReadyError(problem)
    folder = layout.jars / jars
    if not any(folder.glob("*.jar")):
        raise NotReadyError(f"{folder} has no Java archives. Run `make setup`.")
    return [java_program(), *options, "-cp", str(folder / "*"), main_class, *arguments]
