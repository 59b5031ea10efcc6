"""Decide which alerts are about one event, from the posts that they share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alerts.shared_posts import SharedPosts, shared_posts
from detection.arrays import Floats, Integers

JOIN_COVERAGE = 0.4
"""Coverage from which an alert joins another one or a group."""
MERGE_COVERAGE = 0.55
"""Coverage from which two groups of several alerts are one."""
STANDARD_ERRORS = 3.0
"""Standard errors by which shared posts must exceed those expected by chance."""
NEIGHBOURS = 16
"""Others that a group is compared with in a round: the most similar ones."""
HEADLINE_ERRORS = 2.0
"""Standard errors by which a headline must be in more posts of another group than that group's own words."""
WORTH_COMPARING = 0.1
"""Approximate coverage below which two groups are not compared."""


@dataclass(frozen=True, slots=True)
class AlertPosts:
    """Alerts as columns, one entry for each alert."""

    posts: Sequence[Integers]
    """Numbers of each alert's posts, from 0, ascending; their order is that of the posts' hashes."""
    sizes: Integers
    """Number of those."""
    ceilings: Integers
    """An alert's posts are complete below this number, which is above all others if it was not sampled."""
    fractions: Floats
    """Fraction of all hashes that is below the ceiling."""
    excess: Floats
    """Share of each alert's posts that were not expected (0 to 1)."""
    traffic: Floats
    """Posts of all keywords in the windows of each alert."""
    opened: Floats
    """First window of each alert, as a number."""
    last: Floats
    """Last window of each alert, as a number."""
    _below: dict[int, Integers] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Sizes below the ceilings of sampled alerts."""

    def sizes_below(self, members: Integers, ceiling: int) -> Integers:
        """Return how many posts each of the alerts `members` has below `ceiling`."""
        if ceiling >= self.ceilings[members].max(initial=0):
            return self.sizes[members]
        if ceiling not in self._below:
            below = np.concatenate(self.posts) < ceiling
            alert = np.repeat(np.arange(len(self.posts)), self.sizes)
            self._below[ceiling] = np.bincount(alert[below], minlength=len(self.posts))
        return self._below[ceiling][members]


@dataclass(slots=True)
class Group:
    """Alerts that are taken for one event."""

    members: Integers
    posts: Integers
    """Posts of any member up to the lowest ceiling, ascending."""
    carried: Integers
    """Number of members that have each of the posts."""
    ceiling: int
    """Lowest ceiling of the members."""

    def below(self, ceiling: int) -> tuple[Integers, Integers]:
        """Return `posts` and `carried` below `ceiling`."""
        end = int(np.searchsorted(self.posts, ceiling))
        return self.posts[:end], self.carried[:end]

    def shares(self, alerts: AlertPosts) -> list[float]:
        """Return, for each member, the share of its posts that another member has, too.

        Over the posts that all members have in full, as far as the member has any of them.
        """
        posts = [alerts.posts[member] for member in self.members]
        known, carried = np.unique(np.concatenate(posts), return_counts=True)
        below = [some[: np.searchsorted(some, self.ceiling)] for some in posts]
        compared = [some if len(some) else whole for some, whole in zip(below, posts, strict=True)]
        return [_share(carried[np.searchsorted(known, some)] > 1) for some in compared]


def _share(of: NDArray[np.bool_]) -> float:
    return float(of.mean()) if len(of) else 0.0


def group_alerts(alerts: AlertPosts) -> list[Group]:
    """Return the groups of alerts that are about one event, with ascending members; every alert is in one.

    Agglomerative: in a round the pairs of groups that share posts are tried, most similar first (Jaccard
    index of their posts; ties: order of the alerts), and joined if their `coverage` is high enough. Rounds
    follow until one joins nothing.
    """
    groups = [_single(alerts, number) for number in range(len(alerts.posts))]
    changed = np.ones(len(groups), dtype=bool)
    while changed.any():
        groups, changed = _round(alerts, groups, changed)
    for group in groups:
        group.members.sort()
    return groups


def coverage(alerts: AlertPosts, left: Group, right: Group) -> float:
    """Return the part of an event's posts that `left` and `right` have seen, if both are about one event.

    If each post of an event has each of its words independently, two words with a and b of its n posts share
    ab/n of them, so what they share tells n = ab/shared (Lincoln-Petersen estimator), and coverage =
    union/n. For groups a, b and shared are sums over pairs of alerts that overlap in time. Shared by chance:
    (ab - a'b')/N of N posts of all keywords, where a' and b' are the posts that were not expected, as two
    events have no posts in common but those expected anyway; that number is subtracted first. 0 if the rest
    is within three standard errors of 0.
    """
    ceiling = min(left.ceiling, right.ceiling)
    shared, squares, union = _shared_and_union(left.below(ceiling), right.below(ceiling))
    if not shared:
        return 0.0
    a, new_a = _sums(alerts, left, right, ceiling)
    b, new_b = _sums(alerts, right, left, ceiling)
    by_chance = (a * b - new_a * new_b) / _traffic(alerts, left, right)
    beyond = shared - by_chance
    a_post = squares / shared
    significant = beyond >= STANDARD_ERRORS * np.sqrt(a_post * (by_chance + 0.25 * a_post))
    return beyond * union / (a * b) if a * b and significant else 0.0


def _traffic(alerts: AlertPosts, left: Group, right: Group) -> float:
    """Return the posts of all keywords of which both groups have theirs, as far as both are complete."""
    members = np.concatenate([left.members, right.members])
    return float(alerts.traffic[members].max() * alerts.fractions[members].min())


def _shared_and_union(
    left: tuple[Integers, Integers], right: tuple[Integers, Integers]
) -> tuple[float, float, int]:
    (posts, carried), (other_posts, other_carried) = sorted((left, right), key=lambda pair: len(pair[0]))
    if not len(posts):
        return 0.0, 0.0, len(other_posts)
    at = np.minimum(np.searchsorted(other_posts, posts), len(other_posts) - 1)
    both = other_posts[at] == posts
    products = carried[both] * other_carried[at[both]]
    return float(products.sum()), float(products @ products), len(posts) + len(other_posts) - int(both.sum())


def _sums(alerts: AlertPosts, group: Group, other: Group, ceiling: int) -> tuple[float, float]:
    """Return the posts of the members that overlap with `other` in time, all and those not expected."""
    members = group.members
    overlapping = (alerts.opened[members] <= alerts.last[other.members].max()) & (
        alerts.last[members] >= alerts.opened[other.members].min()
    )
    sizes = alerts.sizes_below(members[overlapping], ceiling)
    return float(sizes.sum()), float(sizes @ alerts.excess[members[overlapping]])


def _single(alerts: AlertPosts, number: int) -> Group:
    posts = alerts.posts[number]
    return Group(np.array([number]), posts, np.ones_like(posts), int(alerts.ceilings[number]))


def _round(
    alerts: AlertPosts, groups: list[Group], changed: NDArray[np.bool_]
) -> tuple[list[Group], NDArray[np.bool_]]:
    """Try the similar pairs of which one is `changed`; return the groups, and which of them have grown."""
    now: list[int] = list(range(len(groups)))
    rejected: dict[tuple[int, int], tuple[int, int]] = {}
    for left, right in _similar(alerts, groups, changed):
        one, other = sorted((_root(now, left), _root(now, right)))
        versions = len(groups[one].members), len(groups[other].members)
        if one == other or rejected.get((one, other)) == versions:
            continue
        if _are_one(alerts, groups[one], groups[other]):
            groups[one], now[other] = _joined(groups[one], groups[other]), one
        else:
            rejected[one, other] = versions
    kept = [number for number in range(len(groups)) if now[number] == number]
    grown = {onto for number, onto in enumerate(now) if onto != number}
    return [groups[number] for number in kept], np.array([number in grown for number in kept], dtype=bool)


def _are_one(alerts: AlertPosts, left: Group, right: Group) -> bool:
    several = min(len(left.members), len(right.members)) > 1
    needed = MERGE_COVERAGE if several else JOIN_COVERAGE
    return coverage(alerts, left, right) >= needed or (
        several and (_has_headline_of(alerts, left, right) or _has_headline_of(alerts, right, left))
    )


def _has_headline_of(alerts: AlertPosts, group: Group, other: Group) -> bool:
    """Return whether the largest alert of `group` is in more posts of `other` than any of its own alerts.

    The words of different parts of an event need not be in the same posts, but what it is called is in most
    posts of each. Posts that were expected are left out; compared by McNemar's test.
    """
    headline, largest = _largest(alerts, group), _largest(alerts, other)
    if coverage(alerts, headline, other) < MERGE_COVERAGE:
        return False
    ceiling = min(headline.ceiling, other.ceiling)
    named, own = headline.below(ceiling)[0], largest.below(ceiling)[0]
    here = np.intersect1d(named, other.posts, assume_unique=True)
    new = alerts.excess[headline.members[0]] * alerts.excess[other.members].mean()
    by_chance = len(named) * len(other.below(ceiling)[0]) * (1 - new) / _traffic(alerts, headline, other)
    more = len(here) - by_chance - len(own) * alerts.excess[largest.members[0]]
    differing = len(np.setxor1d(here, own, assume_unique=True))
    return bool(more >= HEADLINE_ERRORS * np.sqrt(differing))


def _largest(alerts: AlertPosts, group: Group) -> Group:
    new_posts = alerts.sizes_below(group.members, group.ceiling) * alerts.excess[group.members]
    return _single(alerts, int(group.members[new_posts.argmax()]))


def _root(now: list[int], number: int) -> int:
    while now[number] != number:
        now[number] = now[now[number]]
        number = now[number]
    return number


def _joined(left: Group, right: Group) -> Group:
    ceiling = min(left.ceiling, right.ceiling)
    (posts, carried), (new, new_carried) = sorted(
        (left.below(ceiling), right.below(ceiling)), key=lambda pair: -len(pair[0])
    )
    at = np.searchsorted(posts, new)
    known = np.zeros(len(new), dtype=bool)
    known[at < len(posts)] = posts[at[at < len(posts)]] == new[at < len(posts)]
    carried = carried.copy()
    carried[at[known]] += new_carried[known]
    return Group(
        members=np.concatenate([left.members, right.members]),
        posts=np.insert(posts, at[~known], new[~known]),
        carried=np.insert(carried, at[~known], new_carried[~known]),
        ceiling=ceiling,
    )


def _similar(
    alerts: AlertPosts, groups: list[Group], changed: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of groups that may be one, most similar first."""
    columns = _Columns.of(alerts, groups)
    edges = [
        columns.most_similar(row)
        for row in shared_posts(
            [group.posts for group in groups],
            [group.carried for group in groups],
            np.flatnonzero(changed),
        )
    ]
    if edges:
        similarity, left, right = (np.concatenate(column) for column in zip(*edges, strict=True))
        pairs = np.stack([np.minimum(left, right), np.maximum(left, right)])
        for position in np.lexsort((pairs[1], pairs[0], -similarity)):
            yield int(pairs[0, position]), int(pairs[1, position])


@dataclass(frozen=True, slots=True)
class _Columns:
    """Groups as columns, to find pairs that are worth comparing; sampled ones are scaled up."""

    fractions: Floats
    distinct: Floats
    summed: Floats
    opened: Floats
    last: Floats

    @classmethod
    def of(cls, alerts: AlertPosts, groups: list[Group]) -> "_Columns":
        fractions = np.array([alerts.fractions[group.members].min() for group in groups])
        return cls(
            fractions=fractions,
            distinct=np.array([len(group.posts) for group in groups]) / fractions,
            summed=np.array([group.carried.sum() for group in groups]) / fractions,
            opened=np.array([alerts.opened[group.members].min() for group in groups]),
            last=np.array([alerts.last[group.members].max() for group in groups]),
        )

    def most_similar(self, shared: SharedPosts) -> tuple[Floats, Integers, Integers]:
        """Return similarity, the row itself and the other for at most NEIGHBOURS others."""
        row, others = shared.row, shared.others
        fraction = np.minimum(self.fractions[row], self.fractions[others])
        union = self.distinct[row] + self.distinct[others] - shared.posts / fraction
        seen = shared.weighted / fraction * union / (self.summed[row] * self.summed[others])
        similarity = shared.posts / fraction / union
        worth = (
            (seen >= WORTH_COMPARING)
            & (self.opened[row] <= self.last[others])
            & (self.last[row] >= self.opened[others])
        )
        kept = np.flatnonzero(worth)[np.argsort(-similarity[worth], kind="stable")[:NEIGHBOURS]]
        return similarity[kept], np.full(len(kept), row), others[kept]
