"""Laws of incidents: alerts that share their posts are one, in any order; others are kept apart."""

import random
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

import pytest

from alerts.incidents import SAMPLED_POSTS, Member, group_incidents, overlap, sample_posts

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


def member(keyword: str, post_ids, *, opened: int = 0, last: int = 0, threshold_ratio: float = 2.0) -> Member:
    ids = sample_posts(post_ids)
    return Member(
        uuid5(NAMESPACE_OID, keyword),
        keyword,
        NOON + opened * WINDOW,
        NOON + last * WINDOW,
        threshold_ratio,
        len(set(post_ids)),
        ids,
    )


def grouped(members) -> set[frozenset[str]]:
    keyword = {m.alert_id: m.keyword for m in members}
    return {
        frozenset(keyword[alert_id] for alert_id in incident.overlaps)
        for incident in group_incidents(members)
    }


def test_five_words_of_the_same_posts_are_one_incident_and_an_unrelated_burst_is_its_own():
    five = [member(word, range(60)) for word in ("flood", "river", "rescue", "boat", "rain")]
    assert grouped([*five, member("concert", range(100, 140))]) == {
        frozenset(m.keyword for m in five),
        frozenset({"concert"}),
    }


def test_half_of_the_smaller_alerts_posts_is_enough_and_less_is_not():
    big, half, less = (
        member("big", range(100)),
        member("half", range(90, 110)),
        member("less", range(91, 111)),
    )
    assert overlap(big.post_ids, half.post_ids) == 0.5
    assert grouped([big, half]) == {frozenset({"big", "half"})}
    assert grouped([big, less]) == {frozenset({"big"}), frozenset({"less"})}


def test_words_can_be_one_incident_through_a_third():
    chain = [member("a", range(20)), member("b", range(10, 30)), member("c", range(20, 40))]
    assert overlap(chain[0].post_ids, chain[2].post_ids) == 0
    assert grouped(chain) == {frozenset("abc")}


def test_alerts_at_different_times_are_not_one_incident():
    later = member("b", range(20), opened=4, last=5)
    assert len(group_incidents([member("a", range(20), last=3), later])) == 2
    assert len(group_incidents([member("a", range(20), last=4), later])) == 1


def test_the_headline_has_most_posts_then_threshold_ratio_then_is_short_then_first_in_the_alphabet():
    def headline(*members: Member) -> str:
        (incident,) = group_incidents(members)
        return incident.headline.keyword

    assert headline(member("flood", range(50)), member("river", range(60))) == "river"
    assert headline(member("flood", range(50), threshold_ratio=3.0), member("river", range(50))) == "flood"
    assert headline(member("riverbank", range(50)), member("river", range(50))) == "river"
    assert headline(member("river", range(50)), member("flood", range(50))) == "flood"


def test_distinct_posts_of_an_incident_are_counted_once():
    (incident,) = group_incidents([member("a", range(30)), member("b", range(10, 40))])
    assert incident.posts == 40


def test_the_id_stays_when_words_join_later_and_does_not_depend_on_the_order():
    first, second, late = (
        member("b", range(20), last=4),
        member("c", range(20), last=4),
        member("a", range(20), opened=2, last=4),
    )
    ids = {
        incident.incident_id
        for some in ([first], [first, second], [late, second, first])
        for incident in group_incidents(some)
    }
    assert len(ids) == 1


def test_the_overlap_is_that_with_the_nearest_member_and_none_for_an_only_member():
    together = group_incidents(
        [member("a", range(20)), member("b", range(10, 30)), member("c", range(12, 32))]
    )[0]
    shared = {uuid5(NAMESPACE_OID, keyword): value for keyword, value in (("a", 0.5), ("b", 0.9), ("c", 0.9))}
    assert together.overlaps == shared
    assert list(group_incidents([member("a", range(20))])[0].overlaps.values()) == [None]


def test_components_are_those_of_a_search_that_shares_no_code():
    rng = random.Random(3)
    members = [member(f"w{i}", rng.sample(range(90), rng.randint(5, 25))) for i in range(60)]
    sets = {m.keyword: set(m.post_ids) for m in members}
    left, found = set(sets), set()
    while left:
        reached, todo = set(), [left.pop()]
        while todo:
            here = todo.pop()
            reached.add(here)
            near = {k for k in left if len(sets[here] & sets[k]) / min(len(sets[here]), len(sets[k])) >= 0.5}
            left -= near
            todo += near
        found.add(frozenset(reached))
    assert 3 < len(found) < 50
    assert grouped(members) == found


def test_overlap_and_number_of_posts_of_samples_are_close_to_those_of_whole_sets():
    rng = random.Random(4)
    ids = rng.sample(range(1, 10**12), 6 * SAMPLED_POSTS)
    a, b = ids[: 4 * SAMPLED_POSTS], ids[2 * SAMPLED_POSTS :]
    samples = sample_posts(a), sample_posts(b)
    assert [len(sample) for sample in samples] == [SAMPLED_POSTS] * 2
    assert overlap(*samples) == pytest.approx(0.5, abs=0.03)
    (incident,) = group_incidents([member("a", a), member("b", a[: 3 * SAMPLED_POSTS])])
    assert incident.posts == pytest.approx(4 * SAMPLED_POSTS, rel=0.03)
