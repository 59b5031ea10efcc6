"""Laws of the estimates of distinct authors and texts, and of the origin of an alert."""

import random
from dataclasses import replace

import numpy as np
import pytest

from detection.authors import DISTINCT_BITS, authors_or_infinity, estimate_distinct, origin
from tests.unit.test_lifecycle import a_window


def a_bitmap(things: int, seed: int = 1) -> int:
    rng = random.Random(seed)
    bits = 0
    for _ in range(things):
        bits |= 1 << rng.randrange(DISTINCT_BITS)
    return bits - 2**DISTINCT_BITS if bits >= 2 ** (DISTINCT_BITS - 1) else bits


def test_arrays_and_single_bitmaps_give_the_same_estimates() -> None:
    bitmaps = [a_bitmap(things, seed) for things in (0, 1, 5, 40, 200) for seed in range(20)]
    singly = [estimate_distinct([bitmap], at_most=10**6) for bitmap in bitmaps]
    arrays = authors_or_infinity(np.array(bitmaps))
    assert [a for a in arrays if np.isfinite(a)] == [
        s for s, a in zip(singly, arrays, strict=True) if np.isfinite(a)
    ]


def test_fifty_things_are_estimated_within_a_third() -> None:
    for seed in range(50):
        assert estimate_distinct([a_bitmap(50, seed)], at_most=1_000) == pytest.approx(50, rel=0.34)


@pytest.mark.parametrize(
    ("posts", "authors", "texts", "expected", "expected_origin"),
    [
        (60, 55, 50, 1.0, "organic"),
        (60, 3, 50, 1.0, "few authors"),
        (500, 480, 3, 2.0, "one text"),
        (500, 3, 1, 2.0, "few authors"),
        (49, 3, 1, 0.0, None),
        (500, 3, 1, 100.0, None),
    ],
)
def test_the_origin_follows_from_authors_and_texts(
    posts: int, authors: int, texts: int, expected: float, expected_origin: str | None
) -> None:
    window = replace(
        a_window(1, 9.0),
        posts=posts,
        expected=expected,
        authors_bitmap=a_bitmap(authors),
        texts_bitmap=a_bitmap(texts),
    )
    assert origin(window) == expected_origin
