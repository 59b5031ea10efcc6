"""One event, one incident: alerts that share their posts in, groups of them with a headline word out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

SAMPLED_POSTS = 10_000
"""Ids of posts that are kept of an alert; up to so many the overlap is exact."""
LEAST_OVERLAP = 0.5
_NAMESPACE = uuid5(NAMESPACE_URL, "groundswell:event")
_LARGEST = 2**64


@dataclass(frozen=True, slots=True)
class Member:
    """An alert, as far as it matters with whom it belongs together."""

    alert_id: UUID
    keyword: str
    opened_window: datetime
    last_window: datetime
    threshold_ratio: float
    posts: int
    """Posts with it, for the headline."""
    post_ids: Sequence[int]
    """Ids of its posts, `sample_posts`."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that belong together, whose posts tell of one thing."""

    incident_id: UUID
    headline: Member
    overlaps: Mapping[UUID, float | None]
    """Members by alert id: the largest overlap with another member, None for the only member."""
    posts: int
    """Distinct posts over the members."""


def sample_posts(post_ids: Iterable[int], at_most: int = SAMPLED_POSTS) -> list[int]:
    """The ids in order; of more than `at_most` those with the smallest hashes, the same in every set that holds them.

    A bottom-k sample (Cohen and Kaplan 2007): sets that were sampled this way can still be compared with each other.

    >>> sample_posts([3, 1, 2]), set(sample_posts(range(50), 9)) >= set(sample_posts(range(100), 9)) & set(range(50))
    ([1, 2, 3], True)
    """
    ids = np.array(sorted(set(post_ids)), dtype=np.int64)
    kept = ids if len(ids) <= at_most else np.sort(ids[np.argsort(_hashes(ids), kind="stable")[:at_most]])
    return [int(post_id) for post_id in kept]


def overlap(left: Sequence[int], right: Sequence[int], at_most: int = SAMPLED_POSTS) -> float:
    """Overlap coefficient of two sets of posts, |A and B| / min(|A|, |B|); from samples over what both samples cover.

    Source: Szymkiewicz-Simpson coefficient. 0 where one is empty.

    >>> overlap([1, 2, 3, 4], [3, 4, 5]), overlap([1], [])
    (0.6666666666666666, 0.0)
    """
    sets = [_covered(left, right, at_most), _covered(right, left, at_most)]
    smaller = min(map(len, sets))
    return len(sets[0] & sets[1]) / smaller if smaller else 0.0


def group_incidents(members: Iterable[Member]) -> list[Incident]:
    """The incidents of `members`: connected components of alerts with an overlap of at least one half in overlapping time.

    The headline is the member with the most posts; where they are equal that of the higher threshold_ratio, then the shorter
    word, then the first in the alphabet. The id follows from the member that opened first, of several the first in the
    alphabet: it stays while words join later.
    """
    ordered = sorted(members, key=lambda member: (member.opened_window, member.keyword))
    group = list(range(len(ordered)))
    best: list[float | None] = [None] * len(ordered)

    def root(place: int) -> int:
        while group[place] != place:
            place = group[place]
        return place

    for right, later in enumerate(ordered):
        for left, earlier in enumerate(ordered[:right]):
            if later.opened_window > earlier.last_window:
                continue
            shared = overlap(earlier.post_ids, later.post_ids)
            if shared >= LEAST_OVERLAP:
                first, second = sorted((root(left), root(right)))
                group[second] = first
                best[left], best[right] = max(best[left] or 0.0, shared), max(best[right] or 0.0, shared)
    together: dict[int, list[int]] = {}
    for place in range(len(ordered)):
        together.setdefault(root(place), []).append(place)
    return [
        _incident([ordered[place] for place in places], [best[place] for place in places])
        for places in together.values()
    ]


def _incident(members: list[Member], best: list[float | None]) -> Incident:
    first = members[0]
    headline = min(
        members,
        key=lambda member: (-member.posts, -member.threshold_ratio, len(member.keyword), member.keyword),
    )
    return Incident(
        incident_id=uuid5(_NAMESPACE, str(first.alert_id)),
        headline=headline,
        overlaps={member.alert_id: shared for member, shared in zip(members, best, strict=True)},
        posts=_distinct_posts(members),
    )


def _distinct_posts(members: list[Member], at_most: int = SAMPLED_POSTS) -> int:
    """Distinct posts over `members`: exact where no sample was needed, else the union of what all samples cover, scaled up."""
    bound = min(_bound(member.post_ids, at_most) for member in members)
    union = np.array(sorted({post_id for member in members for post_id in member.post_ids}), dtype=np.int64)
    covered = int(np.sum(_hashes(union) <= bound)) if bound < _LARGEST else len(union)
    return round(covered * _LARGEST / bound)


def _covered(ids: Sequence[int], other: Sequence[int], at_most: int) -> set[int]:
    bound = min(_bound(ids, at_most), _bound(other, at_most))
    if bound == _LARGEST:
        return set(ids)
    array = np.array(ids, dtype=np.int64)
    return {int(post_id) for post_id in array[_hashes(array) <= bound]}


def _bound(ids: Sequence[int], at_most: int) -> int:
    """Largest hash up to which a sample holds every post; 2^64 for a whole set."""
    return int(_hashes(np.array(ids, dtype=np.int64)).max()) if len(ids) >= at_most else _LARGEST


def _hashes(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hashes of ids, splitmix64's finaliser (Steele, Lea and Flood 2014)."""
    x = ids.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed
