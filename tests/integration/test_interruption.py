"""A batch that is interrupted because its query is stopping: Spark must see that it did not fail."""

import logging
import sys
import traceback

import pytest
from py4j.protocol import Py4JJavaError

from streaming.failures import Interrupted, is_not_interruption, short_interruption


def test_spark_recognizes_the_short_text_of_an_interruption(spark):
    thread = spark._jvm.java.lang.Thread
    thread.currentThread().interrupt()
    with pytest.raises(Interrupted) as raised, short_interruption():
        thread.sleep(60_000)
    text = "".join(traceback.format_exception(raised.value))
    assert "\tat " not in text
    error = spark._jvm.py4j.Py4JException(
        f"An exception was raised by the Python Proxy. Return Message: {text}"
    )
    assert spark._jvm.org.apache.spark.sql.execution.streaming.StreamExecution.isInterruptionException(
        error, spark._jsc.sc()
    )


def test_any_other_java_error_is_raised_unchanged(spark):
    with pytest.raises(Py4JJavaError, match="IndexOutOfBounds"), short_interruption():
        spark._jvm.java.util.ArrayList().get(0)


@pytest.mark.parametrize(("error", "is_logged"), [(Interrupted("stop"), False), (ValueError("no"), True)])
def test_an_interruption_is_not_logged(error, is_logged):
    try:
        raise error
    except Exception:
        record = logging.LogRecord(
            "py4j.clientserver", logging.ERROR, __file__, 1, "There was an exception", (), sys.exc_info()
        )
    assert is_not_interruption(record) == is_logged
