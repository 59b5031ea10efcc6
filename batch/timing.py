"""How long the parts of a step take, told to the log `batch.timing`, which the benchmark of the load reads."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Log `name` and the seconds that it took, where it did not fail."""
    began = time.monotonic()
    yield
    logger.info("%s: %.1f s", name, time.monotonic() - began)
