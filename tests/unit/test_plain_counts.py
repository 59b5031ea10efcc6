"""The counts of a keyword in a window from its posts; the expected hashes are those that Spark returned."""

from datetime import UTC, datetime

from detection.plain_counts import PostInWindow, counts_of_posts, hashed_bit, hashed_text_bit


def a_post(post_id: int, *, second: int = 0, author: str | None = None, likes: int | None = None, text="a"):
    return PostInWindow(post_id, second * 1_000_000, author, likes, [text])


def test_the_bits_are_those_of_sparks_hash() -> None:
    assert [hashed_bit(text) for text in ("", "a", "любовь", "5831967")] == [4, 12, 53, 8]
    arrays: list[list[str]] = [[], ["a"], ["a", "любовь"], ["любовь", "a"]]
    assert [hashed_text_bit(words) for words in arrays] == [42, 12, 47, 29]
    assert hashed_bit(None) == -1


def test_ids_times_and_likes_are_the_extremes() -> None:
    counts = counts_of_posts(
        [a_post(5, second=9, likes=3), a_post(2, second=7), a_post(9, second=8, likes=1)]
    )
    assert counts["first_post_at"] == datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)
    assert [counts[name] for name in ("posts", "first_post_id", "latest_post_id")] == [3, 2, 9]
    assert [counts[name] for name in ("top_post_id", "top_likes", "authors_bitmap")] == [5, 3, 0]


def test_the_highest_bit_makes_a_bitmap_negative() -> None:
    author = next(name for name in map(str, range(999)) if hashed_bit(name) == 63)
    assert counts_of_posts([a_post(1, author=author)])["authors_bitmap"] == -(2**63)


def test_a_tie_of_likes_gives_the_same_post_in_any_order() -> None:
    posts = [a_post(number, likes=2**50 + number) for number in range(1, 40)]
    tops = {counts_of_posts(order)["top_post_id"] for order in (posts, posts[::-1], posts[20:] + posts[:20])}
    assert len(tops) == 1
    assert counts_of_posts(posts)["top_likes"] == 2**50 + 39
