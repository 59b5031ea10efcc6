"""The benchmarks by name."""

from benchmarks import (
    catch_up,
    endurance,
    events,
    evidence,
    explain,
    imports,
    judging,
    keywords,
    latency,
    load,
    open_windows,
    tables,
    throughput,
)
from benchmarks.accuracy import command as accuracy
from benchmarks.beside import command as beside
from benchmarks.first_day import command as first_day
from benchmarks.grouping import command as grouping
from core.command_line import new_app

app = new_app(help="Measure speed, memory and accuracy; docs/figures.md has the results.")
app.command("throughput")(throughput.main)
app.command("latency")(latency.main)
app.command("load")(load.main)
app.command("tables")(tables.main)
app.command("beside")(beside.main)
app.command("catch-up")(catch_up.main)
app.command("endurance")(endurance.main)
app.command("import")(imports.main)
app.command("accuracy")(accuracy.main)
app.command("first-day")(first_day.main)
app.command("events")(events.main)
app.command("explain")(explain.main)
app.command("open-windows")(open_windows.main)
app.command("judging")(judging.main)
app.command("keywords")(keywords.main)
app.add_typer(evidence.app, name="evidence")
app.add_typer(grouping.app, name="grouping")
