"""`python -m benchmarks throughput|latency|load|tables|catch-up|import|endurance|accuracy|events|evidence`: the benchmarks by name."""

import typer

from benchmarks import catch_up, endurance, events, evidence, imports, latency, load, tables, throughput
from benchmarks.accuracy import __main__ as accuracy

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("throughput")(throughput.main)
app.command("latency")(latency.main)
app.command("load")(load.main)
app.command("tables")(tables.main)
app.command("catch-up")(catch_up.main)
app.command("endurance")(endurance.main)
app.command("import")(imports.main)
app.command("accuracy")(accuracy.main)
app.command("events")(events.main)
app.add_typer(evidence.app, name="evidence")

if __name__ == "__main__":
    app()
