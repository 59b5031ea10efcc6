"""The keyword rule applied by Spark to texts as they are posted."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core.keyword_rule import stop_words
from core.keywords import keywords

TEXTS = {
    "Corona, corona CORONA corona.": ["corona"],
    "#fyp and fyp": ["fyp"],
    "@some.user look https://t.co/a?b=c www.example.com/x #Dance": ["dance"],
    "90's 2020 12_3 a b covid19 3d": ["covid19", "3d"],
    "der was de los und the and": [],
    "rock'n'roll rock’n’roll!": ["rock'n'roll"],
    "Straße STRASSE": ["strasse"],
    "ｆｕｌｌｗｉｄｔｈ 𝓯𝓪𝓷𝓬𝔂": ["fullwidth", "fancy"],
    "cafe\u0301 café": ["café"],
    "любовь #ЛЮБОВЬ": ["любовь"],
    "대한민국 사랑해요": ["대한민국", "사랑해요"],
    "हिन्दी गाना": ["हिन्दी", "गाना"],
    "コロナ": ["コロ", "ロナ"],
    "#コロナ": ["コロナ"],
    "武漢2020年": ["武漢"],
    "愛": [],
    "👍🏽 👍 ❤️ 👨\u200d👩\u200d👧 🇩🇪🇫🇷": ["👍", "❤", "👨\u200d👩\u200d👧", "🇩🇪", "🇫🇷"],
    "tab\tnul\u0000line\nend": ["tab", "nul", "line"],
    "": [],
}


@pytest.fixture(scope="module")
def read(spark: SparkSession) -> dict[str, list[str]]:
    texts = [*TEXTS, "x" * 100 + " tail9", " ".join(f"w{i}q" for i in range(150))]
    rows = spark.createDataFrame([(text,) for text in texts], "text string").select(
        "text", keywords(F.col("text")).alias("keywords")
    )
    return {row.text: row.keywords for row in rows.collect()}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_these_keywords(read: dict[str, list[str]], text: str) -> None:
    stop = {"end", "nul", "line"} & stop_words()
    assert read[text] == [word for word in TEXTS[text] if word not in stop]


def test_a_keyword_is_cut_at_64_characters(read: dict[str, list[str]]) -> None:
    assert read["x" * 100 + " tail9"] == ["x" * 64, "tail9"]


def test_a_post_has_at_most_100_keywords(read: dict[str, list[str]]) -> None:
    assert read[" ".join(f"w{i}q" for i in range(150))] == [f"w{i}q" for i in range(100)]


def test_a_post_without_text_has_no_keywords(spark: SparkSession) -> None:
    rows = (
        spark.createDataFrame([(None,)], "text string")
        .select(keywords(F.col("text")).alias("found"))
        .collect()
    )
    assert rows[0].found == []


def test_an_ascii_text_has_the_same_keywords_as_with_one_more_character_beyond_ascii(
    spark: SparkSession,
) -> None:
    text = "Don't @you www.x.y/z #Some_Tag 12 3rd a_1 rock'n'roll it's 2020's e-mail a@b.com U.S.A."
    rows = (
        spark.createDataFrame([(text,), (text + " ☃",)], "text string")
        .select(keywords(F.col("text")).alias("found"))
        .collect()
    )
    assert [*rows[0].found, "☃"] == rows[1].found
