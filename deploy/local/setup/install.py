"""`python3 -m deploy.local.setup.install`: create the virtual environment and download the Java archives.

Runs on the system's Python before anything is installed, so it uses only the standard library. What exists is
left alone, and an interrupted run resumes. `--check` only reports by its exit code whether all is there.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from deploy.local.setup import launcher

REPOSITORY = Path(__file__).resolve().parents[3]
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = REPOSITORY / "requirements.lock"
STAMP = VENV / "groundswell-ready"
CLASS_ARCHIVE = VENV / "spark-classes.jsa"
IVY_LOCK = Path(__file__).parent / "jars.lock.xml"
IVY_SETTINGS = Path(__file__).parent / "ivysettings.xml"
JARS = Path(os.environ.get("GROUNDSWELL_LOCAL_JARS") or REPOSITORY / ".local" / "jars").absolute()
LOCAL = REPOSITORY / ".local"
LOG = LOCAL / "logs" / "setup.log"
_IVY = LOCAL / "ivy"
ATTEMPTS = 3
PAUSE_SECONDS = 5


class SetupError(Exception):
    """A step failed; the message says which and where to look."""


def is_complete() -> bool:
    """Whether there is nothing to do."""
    return python_is_ready() and launcher.is_written(VENV) and CLASS_ARCHIVE.exists() and not missing_jars()


def python_is_ready() -> bool:
    """Return whether the virtual environment was made for this lock file and path (its programs name it)."""
    try:
        return PYTHON.exists() and STAMP.read_text() == _fingerprint()
    except OSError:
        return False


def missing_jars() -> "list[str]":
    """Folder and file name of the archives of jars.lock.xml that are not there."""
    wanted = [
        (
            dependency.attrib["conf"].partition("->")[0].partition("-")[0],
            f"{dependency.attrib['name']}-{dependency.attrib['rev']}.jar",
        )
        for dependency in ET.parse(IVY_LOCK).iter("dependency")  # noqa: S314, a file of our own
    ]
    return [f"{folder}/{name}" for folder, name in wanted if not (JARS / folder / name).exists()]


def set_up() -> None:
    """Make what is missing. Raises SetupError."""
    jars_are_missing = bool(missing_jars())
    if jars_are_missing or not python_is_ready():
        CLASS_ARCHIVE.unlink(missing_ok=True)
    if not python_is_ready():
        _make_environment()
        pyspark = next(
            line.split()[0] for line in LOCK.read_text().splitlines() if line.startswith("pyspark==")
        )
        if jars_are_missing:
            # Its archive fetcher is needed first; it also takes longest to unpack.
            _step(
                "installing pyspark, which brings the fetcher of the Java archives",
                [*_installer("install"), "--no-deps", pyspark],
            )
    fetchers = _start_fetching() if jars_are_missing else {}
    try:
        if not python_is_ready():
            _install_lock()
            STAMP.write_text(_fingerprint())
        _finish_fetching(fetchers)
    finally:
        for fetcher in fetchers.values():
            fetcher.kill()
    launcher.write(VENV)
    if not CLASS_ARCHIVE.exists():
        _archive_classes()


def _archive_classes() -> None:
    """Archive Spark's classes; if Java cannot, an empty file records that, and later starts are slower."""
    _step(
        "archiving Spark's classes, which halves the time of its later starts",
        [str(PYTHON), "-m", "deploy.local.classes"],
        may_fail=True,
    )
    if not CLASS_ARCHIVE.exists():
        CLASS_ARCHIVE.touch()


def ivy_command(folder: Path, *arguments: str) -> "list[str]":
    """Return the command line of pyspark's Ivy with its own cache: a shared one may be half filled."""
    archives = list(VENV.glob("lib/python3*/site-packages/pyspark/jars/ivy-*.jar"))
    if not archives:
        raise SetupError(
            "pyspark is not installed, so the Java archives cannot be fetched. Run `make setup`."
        )
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else "java"
    return [
        java,
        "-Xmx256m",
        f"-Divy.default.ivy.user.dir={folder}",
        "-jar",
        str(archives[0]),
        "-cache",
        str(folder / "cache"),
        *arguments,
    ]


def _make_environment() -> None:
    if not _is_whole() or _made_elsewhere():
        shutil.rmtree(VENV, ignore_errors=True)
        _step("making the virtual environment", [sys.executable, "-m", "venv", str(VENV)])
    if not _has_uv():
        # Without it pip installs, three times slower.
        _step(
            "installing the package installer",
            [str(PYTHON), "-m", "pip", "install", "--quiet", "uv"],
            may_fail=True,
        )


def _install_lock() -> None:
    if _has_uv():
        # Compiled now: if Python may not write (PYTHONDONTWRITEBYTECODE), each command would compile again.
        _step("installing the Python packages", [*_installer("sync"), "--compile-bytecode", str(LOCK)])
    else:
        _step("installing the Python packages with pip", [*_installer("install"), "-r", str(LOCK)])


def _has_uv() -> bool:
    return (VENV / "bin" / "uv").exists()


def uv_command(*arguments: str) -> "list[str]":
    """The command line of the environment's uv, which trusts what the system trusts."""
    return [str(VENV / "bin" / "uv"), "--system-certs", *arguments]


def _installer(command: str) -> "list[str]":
    if _has_uv():
        return uv_command("pip", command, "--quiet", "--python", str(PYTHON))
    return [str(PYTHON), "-m", "pip", command, "--quiet"]


def _start_fetching() -> "dict[str, subprocess.Popen[bytes]]":
    """One Java process for each part of the list, side by side."""
    _say("fetching the Java archives (200 MB)")
    shutil.rmtree(_new_jars(), ignore_errors=True)
    return {
        part: _fetcher(part)
        for part in [conf.attrib["name"] for conf in ET.parse(IVY_LOCK).iter("conf")]  # noqa: S314
    }


def _fetcher(part: str) -> "subprocess.Popen[bytes]":
    pattern = str(_new_jars() / part.partition("-")[0] / "[artifact]-[revision].[ext]")
    options = ("-settings", str(IVY_SETTINGS), "-ivy", str(IVY_LOCK), "-confs", part, "-retrieve", pattern)
    with _part_log(part).open("wb") as log:
        return subprocess.Popen(ivy_command(_IVY / part, *options), stdout=log, stderr=subprocess.STDOUT)


def _finish_fetching(fetchers: "dict[str, subprocess.Popen[bytes]]") -> None:
    """Wait, then put the archives in place at once, so that an interrupted run leaves no half an archive."""
    if not fetchers:
        return
    waiting = fetchers
    for attempt in range(1, ATTEMPTS + 1):
        _wait("waiting for the Java archives", list(waiting.values()))
        failed = [part for part, fetcher in waiting.items() if fetcher.returncode]
        if not failed:
            break
        if attempt == ATTEMPTS:
            raise SetupError(
                _failure("The Java archives could not be fetched: check the network", _part_log(failed[0]))
            )
        _say(f"  the network did not give all of them; trying the rest again in {PAUSE_SECONDS} s")
        time.sleep(PAUSE_SECONDS)
        waiting = {part: _fetcher(part) for part in failed}
        fetchers.update(waiting)
    for folder in _new_jars().iterdir():
        shutil.rmtree(JARS / folder.name, ignore_errors=True)
        JARS.mkdir(parents=True, exist_ok=True)
        folder.rename(JARS / folder.name)
    shutil.rmtree(_new_jars())
    shutil.rmtree(_IVY)


def _part_log(part: str) -> Path:
    return LOG.with_name(f"setup-jars-{part}.log")


def _new_jars() -> Path:
    return JARS.with_name(JARS.name + ".new")


def _step(what: str, command: Sequence[str], *, may_fail: bool = False) -> None:
    """Run one command, its output in the log; says what it is and how long it took."""
    _say(what)
    with LOG.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(what, [process])
    finally:
        process.kill()
    if process.returncode and not may_fail:
        raise SetupError(_failure(f"{what[0].upper()}{what[1:]} failed: put right what the log says", LOG))


def _wait(what: str, children: "Sequence[subprocess.Popen[bytes]]") -> None:
    """Wait for processes, with a line every ten seconds."""
    started = said = time.monotonic()
    while any(child.poll() is None for child in children):
        time.sleep(0.1)
        if time.monotonic() - said > 10:
            said = time.monotonic()
            _say(f"  {what}: {said - started:.0f} s so far")
    if time.monotonic() - started > 2:
        _say(f"  {what}: {time.monotonic() - started:.0f} s")


def _failure(sentence: str, log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-8:]
    return "\n".join([f"{sentence} and run `make setup` again. The end of {log}:", *lines])


def _fingerprint() -> str:
    return f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} {VENV}\n"


def _made_elsewhere() -> bool:
    """Return whether the environment was copied from another path: its programs would start that Python."""
    try:
        return f" {VENV}\n" not in STAMP.read_text()
    except OSError:
        return str(VENV) not in (VENV / "bin" / "activate").read_text()


def _is_whole() -> bool:
    """Whether Python and pip run there; an interrupted set-up may have left half an environment."""
    try:
        answer = subprocess.run(
            [str(PYTHON), "-m", "pip", "--version"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return answer.returncode == 0
    except OSError:
        return False


def _say(line: str) -> None:
    print(f"set-up: {line}", flush=True)


def main() -> int:
    """The command."""
    if is_complete():
        return 0
    if "--check" in sys.argv[1:]:
        return 1
    from deploy.local.setup.preflight import report

    if report(for_setup=True):
        return 1
    started = time.monotonic()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (LOCAL / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second set-up of this checkout waits and then finds all done
        try:
            set_up()
        except SetupError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("set-up: stopped; `make setup` goes on from here", file=sys.stderr)
            return 130
    _say(f"done after {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
