"""From what Postgres, S3 or Spark raised in mid-work to the one sentence that a person or Airflow's log is shown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import typer
from pyspark.errors import PythonException

from archive.storage import away
from core.errors import GroundswellError
from core.settings import Settings, read_settings
from sql.connection import postgres_away

_LOST_CONNECTION = re.compile(r"psycopg2\.(OperationalError|InterfaceError)\b")


@contextmanager
def told_in_one_sentence(beginning: str = "") -> Iterator[None]:
    """Turns the errors of a command into one sentence, which starts with `beginning`, and exit code 1; others go on."""
    try:
        yield
    except GroundswellError as error:
        typer.echo(f"{beginning}{error}", err=True)
        raise typer.Exit(1) from error
    except Exception as error:
        sentence = sentence_for(error, read_settings())
        if sentence is None:
            raise
        typer.echo(f"{beginning}{sentence}", err=True)
        raise typer.Exit(1) from error


def sentence_for(error: Exception, settings: Settings) -> str | None:
    """What is in the way and what to do, where a server is away or a lock is held; None for any other error."""
    if isinstance(error, psycopg2.errors.LockNotAvailable):
        return "A long query holds keyword_statistics, or a day that is loaded again. End it, or wait, and run this again."
    # A connection that broke in mid-transaction is an InterfaceError by the time its transaction is rolled back.
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return str(postgres_away(settings, error))
    if isinstance(error, PythonException):
        # In a worker of Spark, where rows are copied: the exception is told as text alone.
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
    """Class name and first line of an exception out of Java and of everything that caused it, outermost first; none for others."""
    thrown = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while thrown is not None:
        yield thrown.getClass().getName(), (thrown.getMessage() or "").partition("\n")[0].strip()
        thrown = thrown.getCause()
