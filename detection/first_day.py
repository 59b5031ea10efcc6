"""First day: windows without statistics of a day before are judged by the windows that came before them.

The past of a window is the same UTC day and the day before, from the first window with posts to the last one
that was closed when the window began. The share that a keyword had of its posts, or of those of the newest
two windows if that is larger, is expected of it again, and what jumped before may jump again. The
measurements behind the rule and its constants are in docs/decisions/0026-the-first-day.md and
docs/decisions/0038-a-word-that-jumps-by-nature.md.
"""

from dataclasses import dataclass, fields
from math import ceil

import numpy as np

from detection.arrays import Flags, Floats
from detection.dominant import dominant
from detection.score import KEPT_POSTS

LEARNING_WINDOWS = 3
"""Windows from the first one with posts on, itself included, in which nothing is judged."""
RECENT_WINDOWS = 2
"""Newest windows of the past that count by themselves too: words of the hour, and a traffic that changes."""
OVERDISPERSION = 0.2
"""Variance of a keyword's count beyond that of a Poisson count, over its squared mean, at least."""
OVERDISPERSION_WINDOWS = 4.0
"""Windows of that overdispersion which a keyword's own past is averaged with."""
RARE_EXCESS_PER_WINDOW, RARE_EXCESS_PER_POST = 6.0, 1.5
"""Excess variance, the lesser of the two, which says nothing: counts below 3 are none, so rare words jump."""
EVERYWHERE = 0.9
"""Share of the past from which a keyword counts as one in every post, which is never bounded."""


@dataclass(frozen=True)
class PastWindows:
    """The past of windows, as arrays that broadcast to [K, n]: K keywords, n windows."""

    posts: Floats
    """Posts of the keyword in the past, windows of fewer than 3 posts counting as none."""
    total: Floats
    """Posts of all keywords in the past."""
    recent_posts: Floats
    """The same in its newest two windows."""
    recent_total: Floats
    squares: Floats
    """Sum of the squared posts of the keyword over the windows of the past, NaN if unknown."""
    total_squares: Floats
    """The same of all keywords."""
    ready: Flags
    """Whether the window can be judged: the past begins at least three windows before it."""

    @property
    def by_recent(self) -> Flags:
        """Whether the keyword's share of the newest two windows is larger than that of the whole past."""
        by_recent: Flags = _share(self.recent_posts, self.recent_total) > _share(self.posts, self.total)
        return by_recent

    @property
    def compared_posts(self) -> Floats:
        """Posts of the keyword in the windows that it is compared with."""
        return np.where(self.by_recent, self.recent_posts, self.posts)

    @property
    def compared_total(self) -> Floats:
        """Posts of all keywords in those."""
        return np.where(self.by_recent, self.recent_total, self.total)

    def from_window(self, first: int) -> "PastWindows":
        """Return the past of the windows from index `first` on."""
        return PastWindows(*(getattr(self, field.name)[..., first:] for field in fields(self)))


def past_gap(lateness_minutes: int, window_minutes: int = 15) -> int:
    """Return by how many windows the past of a window ends before it, so that all of it has been closed.

    >>> past_gap(15), past_gap(40)
    (2, 4)
    """
    return 1 + ceil(lateness_minutes / window_minutes)


def past_windows(posts: Floats, total: Floats, *, gap: int) -> PastWindows:
    """Return the past of n windows from `posts` [K, n] and `total` [n], which begin with the day before.

    A window's past ends `gap` windows before it.

    >>> past = past_windows(np.array([[0.0, 4, 5, 2, 9]]), np.array([0.0, 10, 10, 10, 10]), gap=2)
    >>> past.posts.tolist(), past.total.tolist(), past.ready.tolist()
    ([[0.0, 0.0, 0.0, 4.0, 9.0]], [0.0, 0.0, 0.0, 10.0, 20.0], [False, False, False, False, True])
    """
    kept = np.where(posts >= KEPT_POSTS, posts, 0.0)
    seen = np.flatnonzero(total > 0)
    first = int(seen[0]) if len(seen) else len(total)
    older, older_total = (_sum_before(values, gap + RECENT_WINDOWS) for values in (kept, total))
    past, past_total = _sum_before(kept, gap), _sum_before(total, gap)
    return PastWindows(
        posts=past,
        total=past_total,
        recent_posts=past - older,
        recent_total=past_total - older_total,
        squares=_sum_before(kept**2, gap),
        total_squares=_sum_before(total**2, gap),
        ready=(np.arange(len(total)) >= first + LEARNING_WINDOWS) & (past_total > 0),
    )


def first_day_expected(past: PastWindows, posts: Floats, total: Floats) -> Floats:
    """Return expected posts: the keyword's share of the past times the traffic of the window.

    The traffic is `total`, but for a keyword with 5 posts or more and at least .05 of them no more than the
    posts of others make likely, (total - posts)/(1 - share), or than the newest two windows had on average,
    unless its share is .9 or more. Unknown totals, which are 1 a window, know no dominant keyword.

    >>> past = PastWindows(*map(np.array, (50.0, 100.0, 5.0, 50.0, 1250.0, 5e3, True)))
    >>> first_day_expected(past, np.array([10.0, 990.0]), np.array([20.0, 1000.0])).tolist()
    [10.0, 12.5]
    """
    share = _share(past.compared_posts, past.compared_total)
    bounded = dominant(posts, total) & (posts <= total) & (share < EVERYWHERE)
    by_others = (total - posts) / np.where(share < EVERYWHERE, 1 - share, 1.0)
    likely = np.maximum(by_others, past.recent_total / RECENT_WINDOWS)
    expected: Floats = np.where(bounded, np.minimum(total, likely), total) * share
    return expected


def first_day_ratio(past: PastWindows, total: Floats) -> Floats:
    """Return the traffic ratio of a first day: posts of all keywords over those that it is compared with."""
    compared = past.compared_total
    return np.where(compared > 0, total / np.where(compared > 0, compared, 1.0), 0.0)


def first_day_overdispersion(past: PastWindows) -> Floats:
    """Return each keyword's overdispersion by its past, at least .2.

    With its share of the posts of all keywords, N_t in window t, the squares of a keyword's means add up to
    share^2 * sum(N_t^2). What its squared posts exceed them, the variance of a Poisson count and
    min(6*n, 1.5*posts) by is overdispersion (the method of moments), taken relative to the share that is
    expected again. It is averaged with four more windows of .2; the past has as much information as n =
    sum(N_t)^2 / sum(N_t^2) windows of equal traffic. Where squares are unknown it is .2.

    >>> past = PastWindows(*map(np.array, ([40.0, 40.0], 400.0, 0.0, 0.0, [400.0, 1600.0], 4e4, True)))
    >>> first_day_overdispersion(past).round(3).tolist()
    [0.2, 1.52]
    """
    windows = np.maximum(past.total, 1.0) ** 2 / np.maximum(past.total_squares, 1.0)
    mean_squares = _share(past.posts, past.total) ** 2 * past.total_squares
    rare = np.minimum(RARE_EXCESS_PER_WINDOW * windows, RARE_EXCESS_PER_POST * past.posts)
    excess = np.maximum(past.squares - past.posts - mean_squares - rare, 0.0)
    compared_squares = _share(past.compared_posts, past.compared_total) ** 2 * past.total_squares
    own = excess / np.where(compared_squares > 0, compared_squares, 1.0)
    averaged = (windows * own + OVERDISPERSION_WINDOWS * OVERDISPERSION) / (windows + OVERDISPERSION_WINDOWS)
    overdispersion: Floats = np.fmax(averaged, OVERDISPERSION)
    return overdispersion


def first_day_scale(ratio: Floats, expected: Floats, overdispersion: Floats) -> Floats:
    """Return the standard deviation of square-root posts: sqrt(1 + ratio + overdispersion*expected).

    The variance of a Poisson count, that of an expectation from a past with 1/ratio of its traffic, and
    overdispersion. For an hour, `ratio` and `expected` are the sums over its windows.

    >>> first_day_scale(np.array([0.0, 1.0]), np.array([0.0, 10.0]), np.array([0.2, 0.7])).tolist()
    [1.0, 3.0]
    """
    scale: Floats = np.sqrt(1 + ratio + overdispersion * expected)
    return scale


def first_day_hourly_spread(
    scale: Floats, hourly_ratio: Floats, hourly_expected: Floats, overdispersion: Floats
) -> Floats:
    """Return the hourly spread that widens `scale` to the scale of the hour.

    >>> first_day_hourly_spread(*map(np.array, ([1.0], [1.0], [10.0], [0.2]))).tolist()
    [4.0]
    """
    spread: Floats = (first_day_scale(hourly_ratio, hourly_expected, overdispersion) / scale) ** 2
    return spread


def _sum_before(values: Floats, gap: int) -> Floats:
    """Sum `values` [..., n] from the first to the one `gap` before each."""
    sums = np.zeros_like(values)
    sums[..., gap:] = np.cumsum(values, axis=-1)[..., : values.shape[-1] - gap]
    return sums


def _share(posts: Floats, total: Floats) -> Floats:
    share: Floats = posts / np.maximum(total, 1.0)
    return share
