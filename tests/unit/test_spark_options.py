"""Laws of the options that Spark passes to Java."""

import sys
from pathlib import Path

import pytest

from archive import session as spark
from deploy.local.setup.install import CLASS_ARCHIVE
from deploy.local.setup.steps import VENV
from tests.factories import settings_without_servers

OPTIONS = "spark.driver.extraJavaOptions"


def test_java_uses_the_class_archive_if_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spark, "CLASS_ARCHIVE", tmp_path / "a b" / "spark-classes.jsa")
    settings = settings_without_servers(spark_master="local[2]")
    assert "SharedArchiveFile" not in spark.session_options(settings)[OPTIONS]
    spark.CLASS_ARCHIVE.parent.mkdir()
    spark.CLASS_ARCHIVE.touch()
    assert (
        f'"-XX:SharedArchiveFile={tmp_path}/a b/spark-classes.jsa"'
        in spark.session_options(settings)[OPTIONS]
    )
    assert OPTIONS not in spark.session_options(settings_without_servers(spark_master=None))


def test_jars_are_on_the_class_path_of_a_local_spark_and_distributed_by_a_cluster(
    tmp_path: Path,
) -> None:
    for name in ("b.jar", "a.jar"):
        (tmp_path / name).touch()
    local = spark.session_options(
        settings_without_servers(spark_master="local[2]", spark_jars_dir=str(tmp_path))
    )
    assert local["spark.driver.extraClassPath"] == f"{tmp_path}/a.jar:{tmp_path}/b.jar"
    elsewhere = spark.session_options(
        settings_without_servers(spark_master=None, spark_jars_dir=str(tmp_path))
    )
    assert elsewhere["spark.jars"] == f"file://{tmp_path}/a.jar,file://{tmp_path}/b.jar"
    assert "spark.jars" not in local and "spark.driver.extraClassPath" not in elsewhere
    assert "spark.driver.extraClassPath" not in spark.session_options(
        settings_without_servers(spark_master="local[2]")
    )


def test_set_up_creates_the_class_archive_where_spark_expects_it() -> None:
    assert CLASS_ARCHIVE.relative_to(VENV) == spark.CLASS_ARCHIVE.relative_to(sys.prefix)
