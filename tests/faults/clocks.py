"""F14 and F15: posts stop, or go to one partition only; the process runs in another time zone."""

from sql.connection import transaction
from tests.faults.feed import planted, portion
from tests.faults.oracle import alerts_of, audit, compare_alerts
from tests.faults.report import Outcome
from tests.faults.stage import Stage
from tests.faults.world import COMMON_PORTIONS, World, wait_for

IDLE_SECONDS = 2.0
ZONES = ("America/New_York", "Pacific/Auckland")


def quiet_topic(stage: Stage) -> Outcome:
    """F14: posts in one partition, then none: the wall clock closes the last window and resolves alerts."""
    with stage.world("F14", idle_seconds=IDLE_SECONDS) as world:
        world.start()
        for number in range(COMMON_PORTIONS):
            world.send(portion(stage.seed, number), partition=0)
        world.portions = COMMON_PORTIONS
        world.catch_up()
        wait_for(lambda: _open_alerts(world) > 0, 60, "an alert is open that time can resolve", world)
        _let_hours_pass(world)
        wait_for(lambda: _open_alerts(world) == 0, 60, "the wall clock resolves every alert", world)
        world.stop()
        result = audit(world.settings, world.sent)
        compare_alerts(
            result,
            alerts_of(world.settings),
            stage.undisturbed.alerts(stage.seed, COMMON_PORTIONS),
            list(planted(COMMON_PORTIONS)),
        )
        return Outcome(
            "F14",
            "one of two partitions silent, then both; alerts resolved by the wall clock without a command",
            result,
        )


def other_time_zone(stage: Stage) -> Outcome:
    """F15: the process runs in zones with daylight saving time, through the hour of a change."""
    with stage.world("F15") as world:
        zones = (*ZONES, "UTC")
        for number, zone in enumerate(zones, start=1):
            world.variables = {"TZ": zone}
            world.start()
            world.send_portions(number * COMMON_PORTIONS // len(zones))
            world.catch_up()
            world.stop()
        return Outcome(
            "F15",
            f"run with TZ of {' and '.join(ZONES)} through the change to daylight saving time",
            world.audit(stage.undisturbed),
        )


def _let_hours_pass(world: World) -> None:
    """Make the newest post hours older in detection's clock; the machine's own clock is not touched."""
    with transaction(world.settings) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('groundswell.detect'))")
        cursor.execute("UPDATE detect_clock SET seen_at = seen_at - interval '6 hours'")


def _open_alerts(world: World) -> int:
    with transaction(world.settings) as cursor:
        cursor.execute("SELECT count(*) FROM anomaly_alerts WHERE status = 'open'")
        return int((cursor.fetchone() or (0,))[0])
