"""Small files in a folder of a checkpoint, on a local disk or on a file system of Hadoop."""

import os
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlparse

from pyspark.sql import SparkSession


class CheckpointFiles(Protocol):
    """A folder of files that are written whole or not at all."""

    def names(self) -> list[str]:
        """Return the names of the files; none if there is no folder."""

    def read(self, name: str) -> bytes:
        """Return the content of a file."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or write it again."""

    def delete(self, name: str) -> None:
        """Delete a file."""


def checkpoint_files(spark: SparkSession, checkpoint: str, folder: str) -> CheckpointFiles:
    """Return the files in a folder of a checkpoint, a path or a URI."""
    uri = urlparse(checkpoint)
    if uri.scheme in ("", "file"):
        return LocalFiles(Path(unquote(uri.path) if uri.scheme else checkpoint, folder))
    return _HadoopFiles(spark, f"{checkpoint}/{folder}")


class LocalFiles:
    """Files in a folder of a local disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names of the files; none if there is no folder."""
        if not self._folder.is_dir():
            return []
        return [path.name for path in self._folder.iterdir() if not path.name.startswith(".")]

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return (self._folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or write it again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}"
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / name)

    def delete(self, name: str) -> None:
        """Delete a file."""
        (self._folder / name).unlink(missing_ok=True)


class _HadoopFiles:
    """Files in a folder of HDFS or another file system that Spark knows."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        context = spark.sparkContext
        assert context._jvm is not None
        self._jvm: Any = context._jvm
        self._folder = self._jvm.org.apache.hadoop.fs.Path(folder)
        self._files = self._folder.getFileSystem(context._jsc.hadoopConfiguration())

    def names(self) -> list[str]:
        if not self._files.exists(self._folder):
            return []
        names = [status.getPath().getName() for status in self._files.listStatus(self._folder)]
        return [name for name in names if not name.startswith(".")]

    def read(self, name: str) -> bytes:
        stream = self._files.open(self._path(name))
        try:
            return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()

    def write(self, name: str, content: bytes) -> None:
        unfinished, path = self._path(f".{name}"), self._path(name)
        stream = self._files.create(unfinished, True)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()
        self._files.delete(path, False)
        self._files.rename(unfinished, path)

    def delete(self, name: str) -> None:
        self._files.delete(self._path(name), False)

    def _path(self, name: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(self._folder, name)
