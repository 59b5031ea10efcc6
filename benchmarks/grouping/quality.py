"""Count what a grouping of alerts gets right, in pairs of alerts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from itertools import combinations
from uuid import UUID

Groups = Iterable[Iterable[UUID]]
"""Alert ids, group by group; every alert is in one."""


@dataclass(frozen=True)
class Quality:
    """Numbers of pairs and groups; the sum of two is that of both worlds."""

    together: int = 0
    """Pairs of alerts in one group."""
    rightly: int = 0
    """Those of them that are about the same event."""
    pairs: int = 0
    """Pairs of alerts that are about one and the same event and no other."""
    found: int = 0
    """Those of them that are in one group."""
    events: int = 0
    """Events with two alerts or more that are about no other event."""
    spread: int = 0
    """Groups that have such alerts, summed over the events."""

    def __add__(self, other: "Quality") -> "Quality":
        return Quality(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    @property
    def precision(self) -> float:
        """Share of the pairs in one group that are about the same event."""
        return self.rightly / self.together if self.together else 1.0

    @property
    def recall(self) -> float:
        """Share of the pairs about the same event that are in one group."""
        return self.found / self.pairs if self.pairs else 1.0

    @property
    def groups_per_event(self) -> float:
        """Number of groups over which the alerts of an event are spread, mean."""
        return self.spread / self.events if self.events else 0.0

    def __str__(self) -> str:
        return (
            f"{self.rightly} of {self.together} pairs of alerts in one incident are about one event, "
            f"{self.found} of {self.pairs} pairs about one event are in one incident; "
            f"{self.groups_per_event:.2f} incidents an event of several alerts"
        )


def quality_of(groups: Groups, events: Mapping[UUID, frozenset[str]]) -> Quality:
    """Compare `groups` with the events that each alert is about.

    >>> a, b, c = (UUID(int=number) for number in range(3))
    >>> quality_of([[a, b], [c]], {a: frozenset("x"), b: frozenset("xy"), c: frozenset("x")})
    Quality(together=1, rightly=1, pairs=1, found=0, events=1, spread=2)
    """
    group_of = {alert: number for number, group in enumerate(groups) for alert in group}
    total = Quality()
    for left, right in combinations(group_of, 2):
        about, also = events[left], events[right]
        together = group_of[left] == group_of[right]
        same = about == also and len(about) == 1
        total += Quality(
            together=together, rightly=together and bool(about & also), pairs=same, found=same and together
        )
    return total + _spread(group_of, events)


def _spread(group_of: Mapping[UUID, int], events: Mapping[UUID, frozenset[str]]) -> Quality:
    groups_of_event: dict[frozenset[str], list[int]] = defaultdict(list)
    for alert, number in group_of.items():
        if len(events[alert]) == 1:
            groups_of_event[events[alert]].append(number)
    several = [groups for groups in groups_of_event.values() if len(groups) > 1]
    return Quality(events=len(several), spread=sum(len(set(groups)) for groups in several))
