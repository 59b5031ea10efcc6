"""`python3 -m deploy.local.setup.install`: create the virtual environment and download the Java archives.

Runs on the system's Python before anything is installed, so it uses only the standard library. What exists is
left alone, and an interrupted run resumes. `--check` only reports by its exit code whether all is there;
`--quick` leaves out what only makes later starts faster: compiled packages, the archive of Spark's classes.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time

from deploy.local.setup import launcher
from deploy.local.setup.archives import finish_fetching, missing_jars, start_fetching
from deploy.local.setup.rule_jar import build_rule_jar, rule_jar
from deploy.local.setup.steps import LOCAL, LOG, REPOSITORY, VENV, SetupError, run_step, say

PYTHON = VENV / "bin" / "python"
LOCK = REPOSITORY / "requirements.lock"
STAMP = VENV / "groundswell-ready"
CLASS_ARCHIVE = VENV / "spark-classes.jsa"


def is_complete(*, quick: bool = False) -> bool:
    """Return whether there is nothing to do."""
    return (
        python_is_ready()
        and launcher.is_written(VENV)
        and (quick or CLASS_ARCHIVE.exists())
        and not missing_jars()
        and rule_jar().exists()
    )


def python_is_ready() -> bool:
    """Return whether the virtual environment was made for this lock file and path (its programs name it)."""
    try:
        return PYTHON.exists() and STAMP.read_text() == _fingerprint()
    except OSError:
        return False


def set_up(*, quick: bool = False) -> None:
    """Make what is missing, `quick` without what only makes later starts faster. Raises SetupError."""
    jars_are_missing = bool(missing_jars())
    if jars_are_missing or not rule_jar().exists() or not python_is_ready():
        CLASS_ARCHIVE.unlink(missing_ok=True)
    is_new = not python_is_ready()
    if is_new:
        _make_environment()
        _install_lock()
    fetchers = start_fetching() if jars_are_missing else {}
    try:
        if is_new:
            if not quick or sys.dont_write_bytecode:
                _compile()
            STAMP.write_text(_fingerprint())
        finish_fetching(fetchers)
    finally:
        for fetcher in fetchers.values():
            fetcher.kill()
    launcher.write(VENV)
    if not rule_jar().exists():
        build_rule_jar()
    if not quick and not CLASS_ARCHIVE.exists():
        _archive_classes()


def _make_environment() -> None:
    if not _is_whole() or _made_elsewhere():
        shutil.rmtree(VENV, ignore_errors=True)
        run_step("making the virtual environment", [sys.executable, "-m", "venv", str(VENV)])
    if not _has_uv():
        # Without it pip installs, three times slower.
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", "uv"]
        run_step("installing the package installer", command, may_fail=True)


def _install_lock() -> None:
    """Install everything at once: pyspark, which is built here, takes as long as all others together."""
    if _has_uv():
        run_step("installing the Python packages", [*_installer("sync"), str(LOCK)])
    else:
        run_step("installing the Python packages with pip", [*_installer("install"), "-r", str(LOCK)])


def _compile() -> None:
    """Compile the packages: if Python may not write (PYTHONDONTWRITEBYTECODE), each command would do it."""
    command = [str(PYTHON), "-m", "compileall", "-q", "-j", "0", *map(str, VENV.glob("lib/python3*"))]
    run_step("compiling the Python packages", command, may_fail=True)


def _archive_classes() -> None:
    """Archive Spark's classes; if Java cannot, an empty file records that, and later starts are slower."""
    run_step(
        "archiving Spark's classes, which halves the time of its later starts",
        [str(PYTHON), "-m", "deploy.local.classes"],
        may_fail=True,
    )
    if not CLASS_ARCHIVE.exists():
        CLASS_ARCHIVE.touch()


def uv_command(*arguments: str) -> list[str]:
    """Return the command line of the environment's uv, which trusts what the system trusts."""
    return [str(VENV / "bin" / "uv"), "--system-certs", *arguments]


def _has_uv() -> bool:
    return (VENV / "bin" / "uv").exists()


def _installer(command: str) -> list[str]:
    if _has_uv():
        return uv_command("pip", command, "--quiet", "--python", str(PYTHON))
    return [str(PYTHON), "-m", "pip", command, "--quiet"]


def _fingerprint() -> str:
    return f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} {VENV}\n"


def _made_elsewhere() -> bool:
    """Return whether the environment was copied from another path: its programs would start that Python."""
    try:
        return f" {VENV}\n" not in STAMP.read_text()
    except OSError:
        return str(VENV) not in (VENV / "bin" / "activate").read_text()


def _is_whole() -> bool:
    """Return whether Python and pip run; an interrupted set-up may have left half an environment."""
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


def main() -> int:
    """Check or set up; return the exit code."""
    quick = "--quick" in sys.argv[1:]
    if is_complete(quick=quick):
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
            set_up(quick=quick)
        except SetupError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("set-up: stopped; `make setup` resumes from here", file=sys.stderr)
            return 130
    say(f"done after {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
