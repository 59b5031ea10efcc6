"""`python3 deploy/local/setup/preflight.py`: whether Groundswell can run here; one sentence on each obstacle.

Written for any Python 3 and the standard library alone, so that an old Python can say that it is too old.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PYTHON_NEEDED = (3, 11)
JAVA_NEEDED = 17
SETUP_GIGABYTES = 4
RUN_GIGABYTES = 1
PORTS = ("KAFKA", "KAFKA_CONTROLLER", "S3", "POSTGRES", "AIRFLOW")
# Special to a shell, a class path, a URL or a list of archives; no program in the chain escapes them all.
ODD_CHARACTERS = "\"'`\\:;,*?[]{}<>|&$!#%"


def problems(for_setup: bool = False) -> "list[str]":
    """The sentences, none where all is well."""
    local = os.path.abspath(
        os.path.expanduser(os.environ.get("GROUNDSWELL_LOCAL") or os.path.join(REPOSITORY, ".local"))
    )
    found = [java_problem(os.environ), *port_problems(os.environ)]  # type: list[str | None]
    if for_setup:
        found += [python_problem(sys.version_info[:3]), venv_problem(), ssl_problem()]
    for folder in sorted({REPOSITORY, local}):
        found += [
            path_problem(folder),
            write_problem(folder),
            disk_problem(folder, SETUP_GIGABYTES if for_setup else RUN_GIGABYTES),
        ]
    return [sentence for sentence in found if sentence]


def python_problem(version: "tuple[int, ...]") -> "str | None":
    """Is this Python new enough?"""
    if tuple(version[:2]) >= PYTHON_NEEDED:
        return None
    sentence = (
        "Python 3.11 or newer is needed, and {} is {}.{}.{}: "
        "install a newer one, or name it, e.g. `make run PYTHON=python3.12`."
    )
    return sentence.format(sys.executable, *version)


def venv_problem() -> "str | None":
    """Can this Python make virtual environments? Debian ships that apart."""
    try:
        import_module("ensurepip")
        import_module("venv")
    except ImportError:
        sentence = (
            "Python's venv module is missing: "
            "install it, on Debian and Ubuntu with `apt install python{}.{}-venv`."
        )
        return sentence.format(*sys.version_info[:2])
    return None


def ssl_problem() -> "str | None":
    """Can this Python download packages? One that was compiled without OpenSSL has no ssl module."""
    try:
        import_module("ssl")
    except ImportError:
        return (
            f"Python's ssl module is missing, without which no package can be downloaded: "
            f"{sys.executable} was made without OpenSSL. "
            "Name another Python, e.g. `make run PYTHON=/usr/bin/python3`, "
            "or install one, on Debian and Ubuntu with `apt install python3`."
        )
    return None


def java_problem(environment: "Mapping[str, str]") -> "str | None":
    """Is there a Java, and is it new enough?"""
    home = environment.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java", path=environment.get("PATH"))
    advice = "install Java 17 or newer, on Debian and Ubuntu with `apt install openjdk-17-jre-headless`"
    if not java:
        return f"Java is missing: {advice}."
    try:
        process = subprocess.Popen([java, "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        answer = process.communicate()[0].decode(errors="replace")
    except OSError:
        return f"JAVA_HOME is {home}, where there is no bin/java: correct or unset it, or {advice}."
    version = re.search(r'version "(?:1\.)?(\d+)', answer)
    if version is None:
        return f"{java} -version answers {answer.strip()[:200]!r}: {advice}."
    if int(version.group(1)) < JAVA_NEEDED:
        found = f"{java} is Java {version.group(1)}"
        return f"Java 17 or newer is needed, and {found}: {advice}, or set JAVA_HOME to a newer one."
    return None


def port_problems(environment: "Mapping[str, str]") -> "list[str]":
    """Ports that were asked for must be ports."""
    found = []
    for service in PORTS:
        name = f"GROUNDSWELL_LOCAL_{service}_PORT"
        text = environment.get(name)
        if text and not (text.isdigit() and 1 <= int(text) <= 65535):
            found.append(
                f"{name} is {text!r}: a port is a number from 1 to 65535; unset it to have a free one chosen."
            )
    return found


def path_problem(folder: str) -> "str | None":
    """Can every program in the chain cope with this path?"""
    odd = sorted(
        {character for character in folder if character in ODD_CHARACTERS or not character.isprintable()}
    )
    if odd:
        names = " ".join(map(repr, odd))
        allowed = "letters, digits, spaces and ._-+=@()"
        return f"The path {folder!r} contains {names}: move the folder to a path of {allowed}."
    return None


def write_problem(folder: str) -> "str | None":
    """May we write there?"""
    existing = _existing(folder)
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        advice = "give yourself permission, or use a copy of your own"
        return f"{existing} cannot be written to ({error.strerror}): {advice}."
    return None


def disk_problem(folder: str, gigabytes: float) -> "str | None":
    """Is there room?"""
    free = shutil.disk_usage(_existing(folder)).free / 1e9
    if free < gigabytes:
        sizes = f"{free:.1f} GB free and {gigabytes} GB are needed"
        return f"The disk of {folder} has {sizes}: free space or use another disk."
    return None


def report(for_setup: bool = False) -> int:
    """Print the sentences; how many there were."""
    found = problems(for_setup)
    for sentence in found:
        sys.stderr.write(sentence + "\n")
    return len(found)


def _existing(folder: str) -> str:
    """The folder itself or the nearest one above it that exists."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


if __name__ == "__main__":
    sys.exit(1 if report("--setup" in sys.argv[1:]) else 0)
