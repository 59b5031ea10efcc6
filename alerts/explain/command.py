"""`groundswell explain ALERT`: explain why a keyword alerted and check the stored figures."""

import logging
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from alerts.explain.explanation import Explanation, explain
from alerts.explain.load import find_alerts
from alerts.explain.text import explanation_lines
from core.command_line import errors_as_sentences
from core.settings import Settings, read_settings
from sql.failures import postgres_sentence

NOT_CHECKED = 2
"""Exit code where the figures could not be checked."""


@errors_as_sentences(exit_code=NOT_CHECKED, translate=postgres_sentence)
def main(
    alerts: Annotated[
        list[str] | None,
        typer.Argument(help="Alert ids, or keywords for the newest alert of each.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Explain all alerts that were not withdrawn.")] = False,
) -> None:
    """Explain why a keyword alerted, and check every stored figure of the alert against the archive.

    Exit code 0: all figures match; 1: some do not; 2: they could not be checked.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    settings = read_settings()
    found = find_alerts(settings, alerts or [], every=every)
    all_match = print_all(explain(settings, found), settings, summary=every or len(found) > 1)
    raise typer.Exit(0 if all_match else 1)


def print_all(explanations: Iterator[Explanation], settings: Settings, *, summary: bool) -> bool:
    """Print each explanation, and with `summary` a last line for all of them; return whether all match."""
    matching = figures = count = 0
    for explanation in explanations:
        for line in explanation_lines(explanation, settings):
            typer.echo(line)
        typer.echo("")
        count += 1
        matching += explanation.matches
        figures += explanation.comparison.figures if explanation.comparison else 0
    if summary:
        typer.echo(f"{matching} of {count} alerts match the archive exactly; {figures:,} figures compared.")
    return matching == count
