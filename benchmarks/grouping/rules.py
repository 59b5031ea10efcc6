"""Ways to group alerts, to compare with the one in use; they compare every pair."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerts.incidents import Member, group_incidents

Groups = list[list[UUID]]
Rule = Callable[[Sequence[Member]], Groups]


def in_use(members: Sequence[Member]) -> Groups:
    """Return the incidents of the alerts."""
    return [list(incident.overlaps) for incident in group_incidents(members)]


def components(members: Sequence[Member], least: float) -> Groups:
    """Return the connected components of alerts whose overlap coefficients reach `least`."""
    overlaps = _overlaps(members)
    label = np.arange(len(members))
    for left, right in np.argwhere(np.triu(overlaps >= least, 1)):
        label[label == label[right]] = label[left]
    return _by_label(members, label)


def average_linkage(members: Sequence[Member], least: float) -> Groups:
    """Join the two groups with the highest mean overlap coefficient while it is at least `least`."""
    overlaps = _overlaps(members)
    np.fill_diagonal(overlaps, -1)
    label, sizes = np.arange(len(members)), np.ones(len(members))
    while overlaps.max() >= least:
        left, right = np.unravel_index(overlaps.argmax(), overlaps.shape)
        both = sizes[left] + sizes[right]
        overlaps[left] = (overlaps[left] * sizes[left] + overlaps[right] * sizes[right]) / both
        overlaps[:, left] = overlaps[left]
        overlaps[left, left] = overlaps[right] = overlaps[:, right] = -1
        sizes[left] = both
        label[label == right] = left
    return _by_label(members, label)


RULES: dict[str, Rule] = {
    "in use": in_use,
    "overlap .5, components": partial(components, least=0.5),
    "overlap .3, components": partial(components, least=0.3),
    "overlap .2, average linkage": partial(average_linkage, least=0.2),
}


def _overlaps(members: Sequence[Member]) -> NDArray[np.float64]:
    """Return the overlap coefficient of each pair that overlaps in time, else 0 [alerts, alerts]."""
    every = np.unique(np.concatenate([member.post_ids for member in members]))
    matrix = np.zeros((len(members), len(every)))
    for row, member in enumerate(members):
        matrix[row, np.searchsorted(every, member.post_ids)] = 1
    sizes = matrix.sum(axis=1)
    opened = np.array([member.opened_window.timestamp() for member in members])
    last = np.array([member.last_window.timestamp() for member in members])
    overlapping = (opened[:, None] <= last) & (last[:, None] >= opened)
    shared: NDArray[np.float64] = matrix @ matrix.T / np.minimum.outer(sizes, sizes) * overlapping
    return shared


def _by_label(members: Sequence[Member], label: NDArray[np.int64]) -> Groups:
    groups: dict[int, list[UUID]] = defaultdict(list)
    for member, one in zip(members, label.tolist(), strict=True):
        groups[one].append(member.alert_id)
    return list(groups.values())
