"""`python -m benchmarks keywords`: what the keyword rule costs a post in both forms, and what it finds."""

import statistics
import time
from pathlib import Path
from typing import Annotated

import orjson
import psutil
import typer
from pydantic import SecretStr
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from archive.session import start_session
from benchmarks.nouns import show_nouns
from core.command_line import errors_as_sentences
from core.errors import BadInputError
from core.keywords import keywords
from core.settings import Settings
from core.text_keywords import text_keywords
from deploy.local.layout import REPOSITORY, layout_for

POSTS = REPOSITORY.parent / "shared" / "data" / "posts" / "trending_december_2020_1000.ndjson"
ROWS = 60_000
ROUNDS = 9
WARM_UP = 3
MICROSECONDS = 1e6


@errors_as_sentences("Nothing was measured. ")
def main(
    posts: Annotated[Path, typer.Option(help="Posts whose texts are read, one JSON object a line.")] = POSTS,
    nouns: Annotated[
        bool, typer.Option("--nouns", help="Print the frequent nouns among the function words instead.")
    ] = False,
) -> None:
    """Print the CPU time of the keyword rule a post, on Spark and in Python, and the keywords it finds."""
    if nouns:
        show_nouns()
        return
    texts = _texts(posts)
    found = [text_keywords(text) for text in texts]
    print(f"{len(texts):,} texts, {sum(not text.isascii() for text in texts):,} with characters beyond ASCII")
    print(f"keywords a post: {statistics.mean(map(len, found)):.2f}, distinct: {len(set().union(*found)):,}")
    print(f"Python: {_python_microseconds(texts):.1f} us of CPU a post")
    cpu, rate, planning = _on_spark(texts)
    print(f"Spark: {cpu:.1f} us of CPU a post, {rate:,.0f} posts/s, {planning * 1e3:.0f} ms of planning")


def _texts(path: Path) -> list[str]:
    if not path.exists():
        raise BadInputError(f"There is no file {path}; name one with --posts.")
    posts = map(orjson.loads, path.read_bytes().splitlines())
    return [str(post.get("itemInfos", {}).get("text") or "") for post in posts]


def _python_microseconds(texts: list[str]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            text_keywords(text)
        rounds.append(time.process_time() - began)
    return statistics.median(rounds) / len(texts) * MICROSECONDS


def _on_spark(texts: list[str]) -> tuple[float, float, float]:
    """Return medians: microseconds of CPU a post, posts a second, and seconds of planning."""
    settings = Settings(
        kafka_bootstrap_servers="unused",
        postgres_host="unused",
        postgres_password=SecretStr("unused"),
        s3_bucket="unused",
        spark_jars_dir=str(layout_for().jars / "spark"),
    )
    spark = start_session(settings, "keyword rule")
    rows = spark.createDataFrame([(text,) for text in texts], "text string")
    copies = spark.range(ROWS // len(texts) + 1).crossJoin(rows).select("text").repartition(2).cache()
    count = copies.count()
    measured = [_one_round(copies) for _ in range(ROUNDS)][WARM_UP:]
    spark.stop()
    cpu, seconds, planning = (statistics.median(column) for column in zip(*measured, strict=True))
    return cpu / count * MICROSECONDS, count / seconds, planning


def _one_round(texts: DataFrame) -> tuple[float, float, float]:
    """Return seconds of CPU of Java, seconds, and seconds of planning."""
    began = time.perf_counter()
    counted = texts.select(F.size(keywords(F.col("text"))).alias("keywords")).agg(F.sum("keywords"))
    counted._jdf.queryExecution().executedPlan()
    planned, cpu = time.perf_counter(), _java_seconds()
    counted.collect()
    return _java_seconds() - cpu, time.perf_counter() - planned, planned - began


def _java_seconds() -> float:
    return sum(
        sum(child.cpu_times()[:2])
        for child in psutil.Process().children(recursive=True)
        if "java" in child.name()
    )
