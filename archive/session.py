"""The Spark session of stream and batch: settings in, a configured session out."""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from core.catalog import spark_properties
from core.errors import SettingsError
from core.keywords import CATALOG_PROPERTIES
from core.settings import Settings

LOG_CONFIGURATION = Path(__file__).parent / "log4j2.properties"
LEAST_DRIVER_MEMORY = "2g"
CLASS_ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"
"""Java's archive of the classes that Spark loads (`deploy.local.classes`); without it Spark starts slower."""


def session_options(settings: Settings) -> dict[str, str]:
    """Return the Spark properties of a Groundswell program, without secrets."""
    options = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.redaction.regex": "(?i)secret|password|token|access.?key|jaas",
        **CATALOG_PROPERTIES,
    }
    if is_local(settings):
        options |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": settings.spark_driver_memory or LEAST_DRIVER_MEMORY,
            "spark.driver.extraJavaOptions": " ".join(_java_options()),
        }
    if settings.spark_jars_dir and is_local(settings):
        # On Java's own class path they are not copied at every start, and their classes can be archived.
        options["spark.driver.extraClassPath"] = class_path(settings.spark_jars_dir)
    elif settings.spark_jars_dir:
        options["spark.jars"] = ",".join(jar.as_uri() for jar in _jars(settings.spark_jars_dir))
    if settings.spark_local_dir:
        options["spark.local.dir"] = settings.spark_local_dir
    return options


def is_local(settings: Settings) -> bool:
    """Return whether Spark runs in one JVM on this machine."""
    return settings.spark_master is not None and settings.spark_master.startswith("local")


def class_path(folder: str) -> str:
    """Return a folder's jars as a class path, in the same order for archiving classes and for using them."""
    return ":".join(str(jar) for jar in _jars(folder))


def _jars(folder: str) -> list[Path]:
    jars = sorted(Path(folder).absolute().glob("*.jar"))
    if not jars:
        raise SettingsError(
            f"GROUNDSWELL_SPARK_JARS_DIR is {folder}, which holds no Java archives. Run `make setup`."
        )
    return jars


def _java_options() -> list[str]:
    options = [
        "-XX:+UseParallelGC",
        "-Duser.timezone=UTC",
        f'"-Dlog4j2.configurationFile={LOG_CONFIGURATION}"',
    ]
    if CLASS_ARCHIVE.exists():
        # Java ignores an archive made by another Java or Spark; the log level keeps its warning quiet.
        options += [f'"-XX:SharedArchiveFile={CLASS_ARCHIVE}"', "-Xlog:cds*=off"]
    return options


def start_session(settings: Settings, name: str, **further: str) -> SparkSession:
    """Start Spark as `name`, with `further` properties by their dotted names; the caller stops it."""
    # Otherwise workers use python3 from PATH, and hosts whose name does not resolve fail to bind.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if is_local(settings):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.appName(name)
    if settings.spark_master:
        builder = builder.master(settings.spark_master)
    for key, value in {**session_options(settings), **further}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    # The catalog's options contain passwords: set here, they stay out of the JVM's command line, which anyone
    # on the machine can list.
    for key, value in spark_properties(settings).items():
        session.conf.set(key, value)
    return session
