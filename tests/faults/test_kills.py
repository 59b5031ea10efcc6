"""A small seeded part of F1: the streaming process is killed at named points, a second one is turned away."""

import random
from pathlib import Path

from core.settings import Settings
from tests.faults.kills import finish, kill_repeatedly
from tests.faults.points import POINTS, Watch
from tests.faults.world import Undisturbed, a_world
from tests.kafka_posts import drain_topics

SEED = 20260308
NAMES = ("detect: inside the transaction", "archive: after the commit")


def test_kills_at_named_points_lose_and_double_nothing(stack: Settings, spark_for, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    undisturbed = Undisturbed(
        stack, tmp_path, lambda settings: drain_topics(spark_for(settings), settings, "detect")
    )
    points = [point for point in POINTS if point.name in NAMES]
    with (
        a_world(stack, tmp_path / "world", SEED) as world,
        Watch(world.settings, world.checkpoints, tmp_path / "bucket") as watch,
    ):
        world.least_portions = 3
        kills = kill_repeatedly(world, watch, 3, points, random.Random(SEED))
        outcome = finish("F1", world, undisturbed, kills)
    assert outcome.audit.problems == []
    assert kills.targets.total() == 3 and not [
        name for name in kills.points if name.startswith("not reached")
    ]
    assert outcome.audit.alerts >= 10
