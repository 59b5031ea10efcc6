"""Download the Java archives of jars.lock.xml with the Ivy that pyspark brings, in parallel.

Standard library only: set-up runs on the system's Python before anything is installed.
"""

import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from deploy.local.setup.steps import LOCAL, LOG, REPOSITORY, VENV, SetupError, failure, say, wait_for

IVY_LOCK = Path(__file__).parent / "jars.lock.xml"
IVY_SETTINGS = Path(__file__).parent / "ivysettings.xml"
JARS = Path(os.environ.get("GROUNDSWELL_LOCAL_JARS") or REPOSITORY / ".local" / "jars").absolute()
IVY = LOCAL / "ivy"
ATTEMPTS = 3
PAUSE_SECONDS = 5


def missing_jars() -> list[str]:
    """Return folder and file name of the archives of jars.lock.xml that have not been downloaded."""
    wanted = [
        (
            dependency.attrib["conf"].partition("->")[0].partition("-")[0],
            f"{dependency.attrib['name']}-{dependency.attrib['rev']}.jar",
        )
        for dependency in ET.parse(IVY_LOCK).iter("dependency")  # noqa: S314, a file of our own
    ]
    return [f"{folder}/{name}" for folder, name in wanted if not (JARS / folder / name).exists()]


def ivy_command(folder: Path, *arguments: str) -> list[str]:
    """Return the command line of pyspark's Ivy with its own cache: a shared one may be half filled."""
    archives = pyspark_jars("ivy-*")
    if not archives:
        raise SetupError(
            "pyspark is not installed, so the Java archives cannot be fetched. Run `make setup`."
        )
    options = ["-Xmx256m", f"-Divy.default.ivy.user.dir={folder}"]
    return [java(), *options, "-jar", str(archives[0]), "-cache", str(folder / "cache"), *arguments]


def pyspark_jars(name: str) -> list[Path]:
    """Return the archives that pyspark brings whose names without `.jar` match `name`."""
    return sorted(VENV.glob(f"lib/python3*/site-packages/pyspark/jars/{name}.jar"))


def java() -> str:
    """Return the Java to run."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def start_fetching() -> dict[str, subprocess.Popen[bytes]]:
    """Start one Java process for each part of the list; return them by part."""
    say("fetching the Java archives (200 MB)")
    shutil.rmtree(_new_jars(), ignore_errors=True)
    parts = [conf.attrib["name"] for conf in ET.parse(IVY_LOCK).iter("conf")]  # noqa: S314, a file of our own
    return {part: _fetcher(part) for part in parts}


def finish_fetching(fetchers: dict[str, subprocess.Popen[bytes]]) -> None:
    """Wait, then move all archives into place at once, so that an interrupted run leaves no half archive.

    Failed parts are fetched again, and `fetchers` is updated with their processes. Raises SetupError.
    """
    if not fetchers:
        return
    waiting = fetchers
    for attempt in range(1, ATTEMPTS + 1):
        wait_for("waiting for the Java archives", list(waiting.values()))
        failed = [part for part, fetcher in waiting.items() if fetcher.returncode]
        if not failed:
            break
        if attempt == ATTEMPTS:
            sentence = "The Java archives could not be fetched: check the network"
            raise SetupError(failure(sentence, _part_log(failed[0])))
        say(f"  some archives could not be fetched; trying those again in {PAUSE_SECONDS} s")
        time.sleep(PAUSE_SECONDS)
        waiting = {part: _fetcher(part) for part in failed}
        fetchers.update(waiting)
    _move_into_place()


def _fetcher(part: str) -> subprocess.Popen[bytes]:
    pattern = str(_new_jars() / part.partition("-")[0] / "[artifact]-[revision].[ext]")
    options = ("-settings", str(IVY_SETTINGS), "-ivy", str(IVY_LOCK), "-confs", part, "-retrieve", pattern)
    with _part_log(part).open("wb") as log:
        return subprocess.Popen(ivy_command(IVY / part, *options), stdout=log, stderr=subprocess.STDOUT)


def _move_into_place() -> None:
    JARS.mkdir(parents=True, exist_ok=True)
    for folder in _new_jars().iterdir():
        shutil.rmtree(JARS / folder.name, ignore_errors=True)
        folder.rename(JARS / folder.name)
    shutil.rmtree(_new_jars())
    shutil.rmtree(IVY)


def _part_log(part: str) -> Path:
    return LOG.with_name(f"setup-jars-{part}.log")


def _new_jars() -> Path:
    return JARS.with_name(JARS.name + ".new")
