"""Group alerts that share their posts into incidents, each with a headline keyword."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

SAMPLED_POSTS = 10_000
"""Post ids that are kept per alert; up to this many, overlaps are exact."""
MIN_OVERLAP = 0.5
"""Overlap from which two alerts belong to one incident."""
# "event" is an older word for incident; stored ids depend on it.
_NAMESPACE = uuid5(NAMESPACE_URL, "groundswell:event")
_LARGEST = 2**64


@dataclass(frozen=True, slots=True)
class Member:
    """An alert with what decides which incident it belongs to."""

    alert_id: UUID
    keyword: str
    opened_window: datetime
    last_window: datetime
    threshold_ratio: float
    posts: int
    """Posts with the keyword; decides the headline."""
    post_ids: Sequence[int]
    """Ids of the alert's posts, as sampled by `sample_posts`."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that share their posts."""

    incident_id: UUID
    headline: Member
    overlaps: Mapping[UUID, float | None]
    """Largest overlap with another member by the member's alert id; None for an only member."""
    posts: int
    """Distinct posts of all members."""


def sample_posts(post_ids: Iterable[int], at_most: int = SAMPLED_POSTS) -> list[int]:
    """Return the ids in order; of more than `at_most`, those with the smallest hashes.

    A bottom-k sample (Cohen and Kaplan 2007): hashes are the same in every set, so sampled sets stay
    comparable.

    >>> sample_posts([3, 1, 2])
    [1, 2, 3]
    >>> set(sample_posts(range(50), 9)) >= set(sample_posts(range(100), 9)) & set(range(50))
    True
    """
    ids = np.array(sorted(set(post_ids)), dtype=np.int64)
    kept = ids if len(ids) <= at_most else np.sort(ids[np.argsort(_hashes(ids), kind="stable")[:at_most]])
    return [int(post_id) for post_id in kept]


def overlap(left: Sequence[int], right: Sequence[int], at_most: int = SAMPLED_POSTS) -> float:
    """Return the overlap coefficient of two sets of posts, |A and B| / min(|A|, |B|); 0 if one is empty.

    For samples it is computed over the range of hashes that both cover. Source: Szymkiewicz-Simpson
    coefficient.

    >>> overlap([1, 2, 3, 4], [3, 4, 5]), overlap([1], [])
    (0.6666666666666666, 0.0)
    """
    sets = [_covered(left, right, at_most), _covered(right, left, at_most)]
    smaller = min(map(len, sets))
    return len(sets[0] & sets[1]) / smaller if smaller else 0.0


def group_incidents(members: Iterable[Member]) -> list[Incident]:
    """Group `members` into incidents, the connected components of overlapping alerts.

    Two alerts overlap if their times do and they share at least half of the posts of the smaller one. The
    headline is the member with the most posts, then the higher threshold_ratio, then the shorter word, then
    the first in the alphabet. The id is derived from the member that opened first, then the first in the
    alphabet, so it stays the same when words join later.
    """
    ordered = sorted(members, key=lambda member: (member.opened_window, member.keyword))
    parents = list(range(len(ordered)))
    largest: list[float | None] = [None] * len(ordered)

    def root(index: int) -> int:
        while parents[index] != index:
            index = parents[index]
        return index

    for right, later in enumerate(ordered):
        for left, earlier in enumerate(ordered[:right]):
            if later.opened_window > earlier.last_window:
                continue
            shared = overlap(earlier.post_ids, later.post_ids)
            if shared >= MIN_OVERLAP:
                first, second = sorted((root(left), root(right)))
                parents[second] = first
                for index in (left, right):
                    largest[index] = max(largest[index] or 0.0, shared)
    components: dict[int, list[int]] = {}
    for index in range(len(ordered)):
        components.setdefault(root(index), []).append(index)
    return [
        _incident([ordered[index] for index in indices], [largest[index] for index in indices])
        for indices in components.values()
    ]


def _incident(members: list[Member], largest: list[float | None]) -> Incident:
    first = members[0]
    headline = min(
        members,
        key=lambda member: (-member.posts, -member.threshold_ratio, len(member.keyword), member.keyword),
    )
    return Incident(
        incident_id=uuid5(_NAMESPACE, str(first.alert_id)),
        headline=headline,
        overlaps={member.alert_id: shared for member, shared in zip(members, largest, strict=True)},
        posts=_distinct_posts(members),
    )


def _distinct_posts(members: list[Member], at_most: int = SAMPLED_POSTS) -> int:
    """Return the number of distinct posts of `members`.

    Exact if no member was sampled, else the union over the range of hashes that all samples cover, scaled up.
    """
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
    """Return the largest hash up to which a sample is complete; 2^64 for a whole set."""
    return int(_hashes(np.array(ids, dtype=np.int64)).max()) if len(ids) >= at_most else _LARGEST


def _hashes(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash ids with splitmix64's finaliser (Steele, Lea and Flood 2014)."""
    x = ids.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed
