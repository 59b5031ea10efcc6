"""`python -m deploy.local up|down|status|env|clean`: the embedded stack of one folder, by default `.local`."""

import sys
import time

import typer
from rich.console import Console
from rich.table import Table

from core.errors import GroundswellError
from deploy.local import stack
from deploy.local.layout import layout_for

app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def up() -> None:
    """Start Kafka, S3 and Postgres, with topics, bucket and tables; safe to run again."""
    started = time.monotonic()
    layout = layout_for()
    for note in stack.up(layout):
        typer.echo(note)
    settings = stack.stack_settings(layout.root)
    typer.echo(
        f"Up after {time.monotonic() - started:.1f} s: Kafka {settings.kafka_bootstrap_servers}, S3 {settings.s3_endpoint}, "
        f"Postgres {settings.postgres_host}:{settings.postgres_port}. For a shell: source {str(layout.env_file)!r}"
    )


@app.command()
def down() -> None:
    """Stop everything that the stack started; the data stays."""
    names = stack.down(layout_for())
    typer.echo(f"Stopped: {', '.join(names)}." if names else "Nothing was running.")


@app.command()
def status() -> None:
    """What runs, on which port, with how much memory and data."""
    table = Table("server", "state", "port", "pid", "memory MB", "data MB", "log", box=None, pad_edge=False)
    rows = stack.status(layout_for())
    for row in rows:
        state = "running" if row.pid else "stopped"
        sizes = (f"{row.memory_bytes / 1e6:.0f}", f"{row.data_bytes / 1e6:.0f}")
        table.add_row(row.name, state, str(row.port or "-"), str(row.pid or "-"), *sizes, str(row.log))
    Console(soft_wrap=True).print(table)
    raise typer.Exit(0 if all(row.pid for row in rows) else 3)


@app.command()
def env() -> None:
    """Print the variables that lead to the stack, to be evaluated by a shell; they hold its passwords."""
    stack.stack_settings()
    typer.echo(layout_for().env_file.read_text(), nl=False)


@app.command()
def clean() -> None:
    """Stop everything and delete the data, the logs and the credentials; the Java archives stay."""
    layout = layout_for()
    stack.clean(layout)
    typer.echo(f"{layout.root} is empty but for the Java archives.")


def main() -> None:
    """Run the command; an error of ours is one sentence and exit code 1."""
    try:
        app()
    except GroundswellError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
