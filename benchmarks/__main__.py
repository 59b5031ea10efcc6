"""`python -m benchmarks throughput|latency`: the benchmarks by name."""

import typer

from benchmarks import latency, throughput

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("throughput")(throughput.main)
app.command("latency")(latency.main)

if __name__ == "__main__":
    app()
