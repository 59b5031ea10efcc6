"""Group alerts that share their posts into incidents, each with a headline keyword."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from alerts.grouping import AlertPosts, Group, group_alerts

SAMPLED_POSTS = 10_000
"""Post ids that are kept per alert; up to this many, incidents are exact."""
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
    expected: float
    """Posts with the keyword that were expected."""
    traffic: int | None
    """Posts of all keywords in the same windows; None if unknown."""
    post_ids: Sequence[int]
    """Ids of the alert's posts, as sampled by `sample_posts`."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that share their posts."""

    incident_id: UUID
    headline: Member
    overlaps: Mapping[UUID, float | None]
    """By alert id, the share of a member's posts that another member has, too; None for an only member."""
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


def group_incidents(members: Iterable[Member], at_most: int = SAMPLED_POSTS) -> list[Incident]:
    """Group `members` into incidents: those that are about one event, as `alerts.grouping` decides.

    The headline is the member with the most posts, then the higher threshold_ratio, then the shorter word,
    then the first in the alphabet. The id is derived from the member that opened first, then the first in the
    alphabet, so it stays the same when words join later. An alert with `at_most` post ids may have more
    posts: `sample_posts`.
    """
    ordered = sorted(members, key=lambda member: (member.opened_window, member.keyword))
    if not ordered:
        return []
    alerts = _columns(ordered, at_most)
    return [_incident(ordered, alerts, group) for group in group_alerts(alerts)]


def _incident(ordered: list[Member], alerts: AlertPosts, group: Group) -> Incident:
    members = [ordered[number] for number in group.members]
    headline = min(
        members,
        key=lambda member: (-member.posts, -member.threshold_ratio, len(member.keyword), member.keyword),
    )
    shares = group.shares(alerts) if len(members) > 1 else [None]
    return Incident(
        incident_id=uuid5(_NAMESPACE, str(members[0].alert_id)),
        headline=headline,
        overlaps={member.alert_id: share for member, share in zip(members, shares, strict=True)},
        posts=round(len(group.posts) / alerts.fractions[group.members].min()),
    )


def _columns(members: list[Member], at_most: int) -> AlertPosts:
    """Return the members as columns; posts are numbered in the order of their hashes."""
    hashes = [_hashes(np.array(member.post_ids, dtype=np.int64)) for member in members]
    sizes = np.array([len(some) for some in hashes], dtype=np.int64)
    known, numbers = np.unique(np.concatenate(hashes), return_inverse=True)
    posts = [np.sort(some) for some in np.split(numbers, np.cumsum(sizes)[:-1])]
    sampled = sizes >= at_most
    largest = np.array([some.max() if whole else 0 for some, whole in zip(hashes, sampled, strict=True)])
    every_post = len(known)
    counted = np.array([max(member.posts, 1) for member in members])
    return AlertPosts(
        posts=posts,
        sizes=sizes,
        ceilings=np.where(sampled, [some[-1] + 1 if len(some) else 0 for some in posts], every_post),
        fractions=np.where(sampled, (largest.astype(float) + 1) / _LARGEST, 1.0),
        excess=np.clip(1 - np.array([member.expected for member in members]) / counted, 0, 1),
        traffic=np.maximum([member.traffic or every_post for member in members], counted),
        opened=np.array([member.opened_window.timestamp() for member in members]),
        last=np.array([member.last_window.timestamp() for member in members]),
    )


def _hashes(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash ids with splitmix64's finaliser (Steele, Lea and Flood 2014)."""
    x = ids.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed
