"""What Java is told when Spark starts."""

from pathlib import Path

import pytest

from core import spark
from tests.factories import settings_without_servers

OPTIONS = "spark.driver.extraJavaOptions"


def test_java_is_told_of_the_archive_of_classes_where_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spark, "CLASS_ARCHIVE", tmp_path / "a b" / "spark-classes.jsa")
    settings = settings_without_servers(spark_master="local[2]")
    assert "SharedArchiveFile" not in spark.session_options(settings)[OPTIONS]
    spark.CLASS_ARCHIVE.parent.mkdir()
    spark.CLASS_ARCHIVE.touch()
    assert f'"-XX:SharedArchiveFile={tmp_path}/a b/spark-classes.jsa"' in spark.session_options(settings)[OPTIONS]
    assert OPTIONS not in spark.session_options(settings_without_servers(spark_master=None))
