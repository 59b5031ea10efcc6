"""F14 and F15: nothing comes any more, or only into one partition; the process runs in another time zone."""

from sql.connection import transaction
from tests.faults.feed import planted, portion
from tests.faults.oracle import alerts_of, audit, compare_alerts
from tests.faults.report import Outcome
from tests.faults.stage import Stage
from tests.faults.world import COMMON_PORTIONS, World, wait_for

IDLE_SECONDS = 2.0
ZONES = ("America/New_York", "Pacific/Auckland")


def quiet_topic(stage: Stage) -> Outcome:
    """F14: posts come into one partition only, then not at all: the wall clock alone decides the last window and resolves the alerts."""
    with stage.world("F14", idle_seconds=IDLE_SECONDS) as world:
        world.start()
        for number in range(COMMON_PORTIONS):
            world.send(portion(stage.seed, number), partition=0)
        world.portions = COMMON_PORTIONS
        world.catch_up()
        _let_hours_pass(world)
        wait_for(lambda: _open_alerts(world) == 0, 60, "the wall clock resolves every alert", world)
        world.stop()
        found = audit(world.settings, world.sent)
        compare_alerts(
            found,
            alerts_of(world.settings),
            stage.undisturbed.alerts(stage.seed, COMMON_PORTIONS),
            list(planted(COMMON_PORTIONS)),
        )
        return Outcome(
            "F14",
            "one of two partitions silent, then both; alerts resolved by the wall clock without a command",
            found,
        )


def other_time_zone(stage: Stage) -> Outcome:
    """F15: the process runs in time zones with summer time, over the hour in which one of them moves its clocks."""
    with stage.world("F15") as world:
        in_turn = (*ZONES, "UTC")
        for place, zone in enumerate(in_turn):
            world.variables = {"TZ": zone}
            world.start()
            world.send_portions((place + 1) * COMMON_PORTIONS // len(in_turn))
            world.catch_up()
            world.stop()
        return Outcome(
            "F15",
            f"run with TZ of {' and '.join(ZONES)} over the change to summer time",
            world.audit(stage.undisturbed),
        )


def _let_hours_pass(world: World) -> None:
    """Hours pass since the newest post was seen; the clock of the machine itself stays as it is."""
    with transaction(world.settings) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('groundswell.detect'))")
        cursor.execute("UPDATE detect_clock SET seen_at = seen_at - interval '6 hours'")


def _open_alerts(world: World) -> int:
    with transaction(world.settings) as cursor:
        cursor.execute("SELECT count(*) FROM anomaly_alerts WHERE status = 'open'")
        return int((cursor.fetchone() or (0,))[0])
