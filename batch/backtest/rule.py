"""The rule of a backtest on posts: the settings of the stream with the changes from a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from core.errors import BadInputError
from core.settings import Settings
from detection.lifecycle import LifecycleRule

BUDGETS = {"discovery": "alerts_per_day", "watched": "watched_alerts_per_day"}
"""Names of the settings for budgets, by the scope of keywords that they apply to."""
CHANGEABLE = ("threshold", "min_posts", "cool_down_windows", "quiet_windows", *BUDGETS.values())
"""Settings that a file may change, by field name."""


@dataclass(frozen=True)
class ReplayRule:
    """The settings to replay with, and which of them a file changed."""

    settings: Settings
    changes: Mapping[str, object]

    @property
    def lifecycle(self) -> LifecycleRule:
        """When alerts open again and end."""
        return LifecycleRule(self.settings.cool_down_windows, self.settings.quiet_windows)

    @property
    def new_budgets(self) -> dict[str, float]:
        """The changed budgets by scope, for which the thresholds stored by the daily batch do not hold."""
        return {
            scope: float(getattr(self.settings, name))
            for scope, name in BUDGETS.items()
            if name in self.changes
        }

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.changes.items()) or "the live rule"


def live_rule(settings: Settings) -> ReplayRule:
    """Return the rule of the stream."""
    return ReplayRule(settings, {})


def read_rule(settings: Settings, path: Path) -> ReplayRule:
    """Return `settings` with the changes in the TOML file `path`; raises BadInputError.

    A threshold replaces a budget.

    >>> read_rule(None, Path("/nowhere.toml"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    core.errors.BadInputError: /nowhere.toml cannot be read: ... '/nowhere.toml'. Give a TOML file.
    """
    try:
        changes = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path} cannot be read: {error}. Give a TOML file.") from error
    unknown = sorted(set(changes) - set(CHANGEABLE))
    if unknown:
        raise BadInputError(
            f"{path} sets {', '.join(unknown)}, which a backtest cannot change. "
            f"It can change {', '.join(CHANGEABLE)}."
        )
    if {"threshold", "alerts_per_day"} <= set(changes):
        raise BadInputError(
            f"{path} sets both threshold and alerts_per_day. "
            "A budget determines its own threshold: leave one of them out."
        )
    replaced = {"alerts_per_day": None} if "threshold" in changes else {}
    try:
        changed = Settings.model_validate(settings.model_dump() | replaced | changes)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise BadInputError(f"{path} cannot be used: {problems}. Correct it.") from error
    return ReplayRule(changed, changes)
