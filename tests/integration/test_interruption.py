"""A batch that is interrupted because its query is to stop: Spark must see that it is no failure."""

import logging
import sys
import traceback

import pytest
from py4j.protocol import Py4JJavaError

from streaming.failures import Interrupted, is_no_interruption, short_interruption


def test_spark_sees_an_interruption_from_a_few_words(spark):
    thread = spark._jvm.java.lang.Thread
    thread.currentThread().interrupt()
    with pytest.raises(Interrupted) as raised, short_interruption():
        thread.sleep(60_000)
    told = "".join(traceback.format_exception(raised.value))
    assert "\tat " not in told
    error = spark._jvm.py4j.Py4JException(
        f"An exception was raised by the Python Proxy. Return Message: {told}"
    )
    assert spark._jvm.org.apache.spark.sql.execution.streaming.StreamExecution.isInterruptionException(
        error, spark._jsc.sc()
    )


def test_any_other_error_of_java_stays_as_it_is(spark):
    with pytest.raises(Py4JJavaError, match="IndexOutOfBounds"), short_interruption():
        spark._jvm.java.util.ArrayList().get(0)


@pytest.mark.parametrize(("error", "is_told"), [(Interrupted("stop"), False), (ValueError("no"), True)])
def test_an_interruption_is_no_line_of_the_log(error, is_told):
    try:
        raise error
    except Exception:
        record = logging.LogRecord(
            "py4j.clientserver", logging.ERROR, __file__, 1, "There was an exception", (), sys.exc_info()
        )
    assert is_no_interruption(record) == is_told
