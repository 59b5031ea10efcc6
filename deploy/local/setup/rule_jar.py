"""Compile the keyword rule's Java form (`core/java/`) into an archive beside Spark's others.

The compiler is one of the archives of jars.lock.xml, so that Java without its developer's tools suffices.
Standard library only: set-up runs on the system's Python before anything is installed.
"""

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

from deploy.local.setup.archives import JARS, java, pyspark_jars
from deploy.local.setup.steps import REPOSITORY, run_step

SOURCES = REPOSITORY / "core" / "java"
NAME = "groundswell-rule"
RELEASE = "17"
# Entries of the archive have one date, so that the same sources give the same archive.
DATE = (1980, 1, 1, 0, 0, 0)


def rule_jar() -> Path:
    """Return where the archive of the present sources is, or will be; its name has their checksum."""
    checksum = hashlib.sha256(b"".join(source.read_bytes() for source in _sources())).hexdigest()
    return JARS / "spark" / f"{NAME}-{checksum[:12]}.jar"


def build_rule_jar() -> None:
    """Compile the sources and replace the archive of earlier ones. Raises SetupError."""
    with tempfile.TemporaryDirectory(prefix="groundswell-") as folder:
        classes = Path(folder)
        run_step("compiling the keyword rule for Spark", _compiler_command(classes))
        unfinished = rule_jar().with_suffix(".new")
        with zipfile.ZipFile(unfinished, "w") as archive:
            for file in sorted(classes.rglob("*.class")):
                archive.writestr(
                    zipfile.ZipInfo(file.relative_to(classes).as_posix(), DATE), file.read_bytes()
                )
    for earlier in rule_jar().parent.glob(f"{NAME}-*.jar"):
        earlier.unlink()
    unfinished.replace(rule_jar())


def _sources() -> list[Path]:
    return sorted(SOURCES.glob("*.java"))


def _compiler_command(classes: Path) -> list[str]:
    compiler = next((JARS / "compiler").glob("ecj-*.jar"))
    class_path = os.pathsep.join(map(str, pyspark_jars("*")))
    options = ["--release", RELEASE, "-proc:none", "-nowarn", "-encoding", "UTF-8"]
    sources = map(str, _sources())
    return [java(), "-jar", str(compiler), *options, "-d", str(classes), "-classpath", class_path, *sources]
