"""Laws of incidents: headline, id, posts and shares of what is one, in any order and from samples, too."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

import pytest

from alerts.incidents import SAMPLED_POSTS, Incident, Member, group_incidents, sample_posts

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


def member(
    keyword: str,
    post_ids: Iterable[int],
    *,
    opened: int = 0,
    last: int = 0,
    threshold_ratio: float = 2.0,
    at_most: int = SAMPLED_POSTS,
) -> Member:
    ids = set(post_ids)
    return Member(
        alert_id=uuid5(NAMESPACE_OID, keyword),
        keyword=keyword,
        opened_window=NOON + opened * WINDOW,
        last_window=NOON + last * WINDOW,
        threshold_ratio=threshold_ratio,
        posts=len(ids),
        expected=0.0,
        traffic=1_000_000,
        post_ids=sample_posts(ids, at_most),
    )


def words(incidents: Iterable[Incident], members: Iterable[Member]) -> set[frozenset[str]]:
    keyword = {one.alert_id: one.keyword for one in members}
    return {frozenset(keyword[alert_id] for alert_id in incident.overlaps) for incident in incidents}


def test_five_words_of_the_same_posts_are_one_incident_and_an_unrelated_burst_is_its_own() -> None:
    members = [member(word, range(60)) for word in ("flood", "river", "rescue", "boat", "rain")]
    members.append(member("concert", range(100, 140)))
    assert words(group_incidents(members), members) == {
        frozenset({"flood", "river", "rescue", "boat", "rain"}),
        frozenset({"concert"}),
    }


def test_no_alerts_are_no_incidents_and_alerts_without_posts_are_alone() -> None:
    assert group_incidents([]) == []
    alone = group_incidents([member("a", []), member("b", []), member("c", range(20))])
    assert [(incident.posts, list(incident.overlaps.values())) for incident in alone] == [
        (0, [None]),
        (0, [None]),
        (20, [None]),
    ]


def test_alerts_at_different_times_are_not_one_incident() -> None:
    later = member("b", range(20), opened=4, last=5)
    assert len(group_incidents([member("a", range(20), last=3), later])) == 2
    assert len(group_incidents([member("a", range(20), last=4), later])) == 1


def test_the_headline_has_most_posts_then_threshold_ratio_then_is_short_then_first_in_the_alphabet() -> None:
    def headline(*members: Member) -> str:
        (incident,) = group_incidents(members)
        return incident.headline.keyword

    assert headline(member("flood", range(50)), member("river", range(60))) == "river"
    assert headline(member("flood", range(50), threshold_ratio=3.0), member("river", range(50))) == "flood"
    assert headline(member("riverbank", range(50)), member("river", range(50))) == "river"
    assert headline(member("river", range(50)), member("flood", range(50))) == "flood"


def test_distinct_posts_of_an_incident_are_counted_once() -> None:
    (incident,) = group_incidents([member("a", range(30)), member("b", range(10, 40))])
    assert incident.posts == 40


def test_the_id_stays_when_words_join_later_and_does_not_depend_on_the_order() -> None:
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


def test_a_member_has_the_share_of_its_posts_that_others_have_too_and_an_only_member_has_none() -> None:
    members = [member("a", range(20)), member("b", range(5, 25)), member("c", range(7, 27))]
    (incident,) = group_incidents(members)
    shares = {one.keyword: incident.overlaps[one.alert_id] for one in members}
    assert shares == {"a": 15 / 20, "b": 1.0, "c": 18 / 20}
    assert list(group_incidents([member("a", range(20))])[0].overlaps.values()) == [None]


def test_number_of_posts_and_shares_of_samples_are_close_to_those_of_whole_sets() -> None:
    rng = random.Random(4)
    ids = rng.sample(range(1, 10**12), 5 * SAMPLED_POSTS)
    whole, part = member("a", ids[: 4 * SAMPLED_POSTS]), member("b", ids[2 * SAMPLED_POSTS :])
    assert [len(one.post_ids) for one in (whole, part)] == [SAMPLED_POSTS] * 2
    (incident,) = group_incidents([whole, part])
    assert incident.posts == pytest.approx(5 * SAMPLED_POSTS, rel=0.03)
    assert incident.overlaps[whole.alert_id] == pytest.approx(0.5, abs=0.03)
    assert incident.overlaps[part.alert_id] == pytest.approx(2 / 3, abs=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_samples_give_the_same_incidents_as_whole_sets(seed: int) -> None:
    rng = random.Random(seed)
    posts = {
        f"event{event} word{word}": rng.sample(range(event * 3_000, event * 3_000 + 3_000), 1_800)
        for event in range(3)
        for word in range(4)
    }
    posts["small"] = list(range(20_000, 20_080))
    whole = [member(keyword, ids) for keyword, ids in posts.items()]
    sampled = [member(keyword, ids, at_most=300) for keyword, ids in posts.items()]
    assert max(len(one.post_ids) for one in sampled) == 300
    found = words(group_incidents(sampled, at_most=300), sampled)
    assert found == words(group_incidents(whole), whole)
    assert len(found) == 4


def test_the_order_of_the_alerts_and_what_was_grouped_before_change_nothing() -> None:
    rng = random.Random(3)
    starts = [40 * (number % 8) for number in range(40)]
    members = [
        member(f"w{number}", rng.sample(range(start, start + 60), rng.randint(5, 40)))
        for number, start in enumerate(starts)
    ]
    incidents = group_incidents(members)
    assert 3 < len(incidents) < 35
    for _ in range(3):
        rng.shuffle(members)
        group_incidents(members[:20])
        again = group_incidents(members)
        assert {incident.incident_id: incident for incident in again} == {
            incident.incident_id: incident for incident in incidents
        }
