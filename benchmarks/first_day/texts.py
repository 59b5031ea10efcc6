"""Streams of real posts: the texts of a file, each drawn again and again at a daily rhythm.

A text that is drawn often stands for many posts alike; every draw is a post of another author.
"""

import json
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import SecretStr
from pyspark.sql import functions as F

from archive.session import start_session
from benchmarks.first_day.bursts import Stream, plant
from benchmarks.first_day.worlds import (
    BOTH_DAYS,
    TRAFFIC,
    Counts,
    FirstDays,
    hours,
    noise_of,
    observed,
    spread_over_looks,
)
from core.errors import NotReadyError
from core.keyword_rule import KEYWORD_RULE_VERSION
from core.keywords import keywords
from core.settings import Settings
from deploy.local.layout import LOOPBACK, layout_for
from detection.arrays import Floats
from detection.seasonality import WINDOWS

_PEAK_HOUR, _SWING = 20.0, 0.8
"""exp(.8 * cos) is fivefold between its lowest and its highest hour."""
_WEIGHT_DISPERSION = 1.0
"""Variance of how often a text is drawn; the mean is 1."""


@dataclass(frozen=True)
class PostTexts:
    """Texts by their keywords."""

    keywords: list[list[str]]

    def incidence(self) -> Floats:
        """Return which keyword is in which text [K, texts], 1 or 0."""
        number = {
            keyword: row for row, keyword in enumerate(sorted({k for one in self.keywords for k in one}))
        }
        matrix = np.zeros((len(number), len(self.keywords)))
        for column, one in enumerate(self.keywords):
            matrix[[number[keyword] for keyword in one], column] = 1.0
        return matrix


def load_texts(posts: Path) -> PostTexts:
    """Return the keywords of the posts in an ndjson file; raises NotReadyError without it.

    Spark extracts them once and keeps them in the folder for temporary files.
    """
    if not posts.is_file():
        raise NotReadyError(f"{posts} does not exist. Name a file of posts with --posts.")
    raw = posts.read_bytes()
    kept = Path(tempfile.gettempdir()) / f"groundswell-{KEYWORD_RULE_VERSION}-{zlib.crc32(raw):08x}.json"
    if not kept.is_file():
        texts = [orjson.loads(line)["itemInfos"]["text"] for line in raw.splitlines()]
        kept.write_text(json.dumps(_extracted(texts)))
    return PostTexts(json.loads(kept.read_text()))


def stream_of_texts(texts: PostTexts, world: FirstDays) -> Stream:
    """Draw the posts of both days from `texts`, and plant bursts.

    How often a text is drawn differs from text to text, and varies with the noise of the world.
    """
    random = world.random("texts")
    count = len(texts.keywords)
    weights = random.standard_gamma(1 / _WEIGHT_DISPERSION, count) * _WEIGHT_DISPERSION
    rhythm = hours(np.array([_SWING]), np.array([_PEAK_HOUR]))[0] * observed(world)
    total = (
        world.posts_a_day / WINDOWS * rhythm * noise_of(TRAFFIC, np.array([TRAFFIC.dispersion]), random)[0]
    )
    means = (weights / weights.sum())[:, None] * total
    noisy = means * noise_of(world.noise, np.full(count, world.noise.dispersion), random)
    return plant(world, _counted(texts.incidence(), means, random.poisson(noisy), world, random))


def _counted(
    incidence: Floats, means: Floats, drawn: NDArray[np.int64], world: FirstDays, random: np.random.Generator
) -> Counts:
    assert drawn.shape[1] == BOTH_DAYS
    looks = spread_over_looks(drawn.sum(axis=0), world, random)
    return Counts(incidence @ drawn, incidence @ means, looks)


def _extracted(texts: Sequence[str]) -> list[list[str]]:
    """Return the keywords of each text, by the rule in Spark."""
    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as folder:
        # Spark needs only the jars: nothing answers at these addresses.
        settings = Settings(
            kafka_bootstrap_servers=f"{LOOPBACK}:1",
            postgres_host=LOOPBACK,
            postgres_port=1,
            postgres_password=SecretStr("unused"),
            s3_bucket="unused",
            spark_jars_dir=str(layout_for().jars / "spark"),
            spark_local_dir=folder,
        )
        spark = start_session(settings, "first day", **{"spark.sql.warehouse.dir": folder})
        try:
            rows = spark.createDataFrame(list(enumerate(texts)), "number int, text string")
            found = (
                rows.select("number", keywords(F.col("text")).alias("keywords")).orderBy("number").collect()
            )
        finally:
            spark.stop()
    return [list(row["keywords"]) for row in found]
