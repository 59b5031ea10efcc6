"""Java for the servers: which program it is, and the command line of a main class."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from core.errors import NotReadyError
from deploy.local.layout import Layout
from deploy.local.setup.preflight import java_problem


def java_program() -> str:
    """$JAVA_HOME/bin/java where that is set, else the java of the PATH."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def java_command(
    layout: Layout, jars: str, options: Sequence[str], main_class: str, *arguments: str
) -> list[str]:
    """The command that runs `main_class` with the archives of one folder; NotReadyError where they or Java are missing."""
    problem = None if shutil.which(java_program()) else java_problem(os.environ)
    if problem:
        raise NotReadyError(problem)
    folder = layout.jars / jars
    if not any(folder.glob("*.jar")):
        raise NotReadyError(f"{folder} holds no Java archives. Run `make setup`.")
    return [java_program(), *options, "-cp", str(folder / "*"), main_class, *arguments]
