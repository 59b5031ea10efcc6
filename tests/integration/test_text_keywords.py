"""The keyword rule in Python gives what it gives on Spark, for texts of any script and for broken ones."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core import unicode_tables
from core.keywords import folded, hashtags, keywords, phrase_tokens
from core.text_folding import composed_and_folded
from core.text_keywords import folded_text, text_hashtags, text_keywords, text_tokens
from tools.unicode_tables import code_points, icu, module_text

POSTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "posts"
PHRASES = ["don't stop", "new york", "любовь зла", "コロ ロナ", "x x", "was", "the", "зла"]
SCRIPTS = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789_٣४½²Ⅷ①",
    " \t\n\r\x0b\x0c\x00\x1f\x7f\x85\xa0\u2028\u3000\u200b\u00ad",
    "#＃﹟@.'’,-!?/:;&|~[]^\\",
    "éüßŁıİſﬁǅẞŉΐΣςσ",
    "любовьЁжѢ\u0301\u0308",
    "हिन्दीগানதமிழ்",
    "שלוםسلام\u064b\u0651\ufdfa\ufefb",
    "한국어ㄱㅏ\u1100\u1161\u11a8",
    "武漢愛好世界\u3400\U00020000\ufa10",
    "コロナｺﾛﾅひらがなー゛\u3099",
    "ภาษาไทยລາວខ្មែរမြန်မာ",
    "😀👍🏽❤️\ufe0f\ufe0e\u200d👨👩👧🇩🇪🇫🇷☃⌚⭐🏽🦰",
    "\u0300\u0316\u0327\u0338\u20dd\ud7fb\uffff\ufffd\ue000\U0010ffff",
    "ᏣꭰⰀⴀႠᲐქ𝓯𝓪𐐀𞤀Ａ",
    "ㅋㅎㅠㄳﾡￂ\u3164\u115fน้ำຳ\u309b～〜・·･‼™ℹ№ºª⬛🟩▶5*#\ufe0f\u20e3\U0001f3f4\U000e0067\U000e007f",
    "يكىیکمحـ\u064b\u0670\u06d6שְ״׳\"‘’ʻʼ'ʹ´ilİ·\u200c\u200d\u2060\ufeff\U000e0101\u0335\u0301\u0302",
]
PIECES = [
    "https://t.co/a?b=ü",
    "http://x",
    "www.é.de/x",
    "@sömé.user",
    "#fyp",
    "#2020",
    "#武漢2020",
    "don’t",
    "x" * 70,
]
PIECES += [
    "the",
    "The was",
    "das war",
    "не",
    "#was",
    "#the",
    "#é",
    "example.com",
    "vm.tiktok.com/ZMe",
    "a.b@c.de",
    "o‘zbek",
    "м'яч",
    "col·lecció",
    "#taylor's",
    "y" * 64 + "é",
    "ﷺ" * 8,
    "new york",
    "Любовь зла",
    "rock'n'roll''s",
    "👨\u200d👩\u200d👧\u200d👦",
    "🇩🇪🇫",
]
NEWER = sorted(
    {
        chr(int(word.split(":")[0], 16))
        for table in ("DECOMPOSITIONS", "FOLDS", "COMBINING_CLASSES")
        for word in getattr(unicode_tables, table).split()
    }
)
PARTS = sorted({part for text in map(composed_and_folded, NEWER) for part in text}) + [
    chr(int(part, 16))
    for word in unicode_tables.DECOMPOSITIONS.split()
    for part in word.split(":")[1].split(",")
]


def random_texts(rng: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        scripts = rng.sample(SCRIPTS, rng.randint(1, 4))
        parts = [
            rng.choice(PIECES)
            if rng.random() < 0.1
            else "".join(rng.choice(rng.choice(scripts)) for _ in range(rng.choice([1, 2, 3, 8, 80])))
            for _ in range(rng.randint(1, 8))
        ]
        yield rng.choice(["", " "]).join(parts)


def random_code_points(rng: random.Random, count: int) -> Iterator[str]:
    """Yield texts of code points from all of Unicode, with more of those that ICU alone knows."""
    for _ in range(count):
        yield "".join(
            chr(rng.choice([rng.randrange(0x20, 0xD800), rng.randrange(0xE000, 0x20000)]))
            if rng.random() < 0.5
            else rng.choice([*NEWER, *PARTS, "a", "\u0307", "\u0316", "\u0323", " "])
            for _ in range(rng.randint(2, 12))
        )


def real_texts() -> list[str]:
    lines = [line for path in sorted(POSTS.glob("*.ndjson")) for line in path.read_text().splitlines()]
    return [str(json.loads(line).get("itemInfos", {}).get("text") or "") for line in lines]


def differences(spark: SparkSession, texts: list[str]) -> list[tuple[str, object, object]]:
    """Return the texts for which the two forms of the rule differ, with what each gives."""
    text = F.col("text")
    columns = [keywords(text), keywords(text, PHRASES), phrase_tokens(text), folded(text), hashtags(text)]
    rows = spark.createDataFrame([(text,) for text in texts], "text string").select(
        "text", *(column.alias(f"form{place}") for place, column in enumerate(columns))
    )
    return [
        (ours, list(streamed), list(plain))
        for ours, *streamed in rows.collect()
        if streamed
        != (
            plain := [
                text_keywords(ours),
                text_keywords(ours, PHRASES),
                text_tokens(ours),
                folded_text(ours),
                text_hashtags(ours),
            ]
        )
    ]


def test_the_tables_are_what_java_and_icu_have(spark: SparkSession) -> None:
    assert module_text(spark) == Path(unicode_tables.__file__).read_text()


def test_every_code_point_is_composed_and_folded_alike(spark: SparkSession) -> None:
    text = F.col("text")
    composed = icu("text.Normalizer", "compose", text, True)
    as_icu = icu("lang.UCharacter", "foldCase", composed, True)
    changed = code_points(spark).select("number", as_icu.alias("folded")).where(F.col("folded") != text)
    icu_folds = {chr(row.number): row.folded for row in changed.collect()}
    ours = {
        character: folded
        for character in map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
        if (folded := composed_and_folded(character)) != character
    }
    assert ours == icu_folds


@pytest.mark.parametrize("seed", range(2))
def test_random_texts_of_all_scripts_have_the_same_keywords(spark: SparkSession, seed: int) -> None:
    rng = random.Random(seed)
    assert differences(spark, [*random_texts(rng, 6_000), *random_code_points(rng, 3_000)]) == []


def test_real_texts_have_the_same_keywords(spark: SparkSession) -> None:
    if not POSTS.exists():
        pytest.skip("the real posts are not beside the repository")
    assert differences(spark, real_texts()) == []
