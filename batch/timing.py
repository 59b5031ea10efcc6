"""Log how long the parts of a step take, to the logger `batch.timing`; the load benchmark reads it."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Log `name` and the seconds its block took, unless the block fails."""
    started = time.monotonic()
    yield
    logger.info("%s: %.1f s", name, time.monotonic() - started)
