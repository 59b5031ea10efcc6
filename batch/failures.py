"""Turn what Postgres, S3 or Spark raised during a command into one sentence for users and Airflow."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from pyspark.errors import PythonException

from archive.storage import away
from core import command_line
from core.settings import Settings, read_settings
from sql.connection import postgres_away
from sql.failures import postgres_sentence

_LOST_CONNECTION = re.compile(r"psycopg2\.(OperationalError|InterfaceError)\b")


@contextmanager
def errors_as_sentences(prefix: str = "") -> Iterator[None]:
    """Print an expected error, those of servers included, as `prefix` and one sentence; exit with code 1.

    Any other error is raised again. Also a decorator for the function of a command.
    """
    with command_line.errors_as_sentences(
        prefix, translate=lambda error: sentence_for(error, read_settings())
    ):
        yield


def sentence_for(error: Exception, settings: Settings) -> str | None:
    """Return what failed and what to do if a server is down or a lock is held; None for any other error."""
    if isinstance(error, psycopg2.errors.LockNotAvailable):
        return (
            "A long-running query holds a lock on keyword_statistics or on a day that is being reloaded. "
            "Cancel it or wait for it, then run this again."
        )
    if sentence := postgres_sentence(error, settings):
        return sentence
    if isinstance(error, PythonException):
        # Raised in a Spark worker, where rows are copied: only the text of the exception arrives here.
        lines = [line for line in str(error).splitlines() if _LOST_CONNECTION.match(line)]
        if lines:
            return str(postgres_away(settings, lines[-1].partition(":")[2].strip()))
    for name, message in java_causes(error):
        if name.startswith("software.amazon.awssdk."):
            return away(settings, message)
        if name.startswith("org.postgresql."):
            return str(postgres_away(settings, message))
    return None


def java_causes(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield class name and first message line of a Java exception and its causes, outermost first.

    Yields nothing for an error that did not come from Java.
    """
    thrown = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while thrown is not None:
        yield thrown.getClass().getName(), (thrown.getMessage() or "").partition("\n")[0].strip()
        thrown = thrown.getCause()
