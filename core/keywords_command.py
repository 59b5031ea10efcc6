"""`groundswell keywords`: which keywords a text has, and why its other parts are none."""

import sys
from typing import Annotated

import typer

from core.command_line import errors_as_sentences, run
from core.dropped_parts import dropped_parts
from core.errors import BadInputError
from core.text_keywords import text_keywords


@errors_as_sentences()
def keywords_command(
    text: Annotated[str, typer.Argument(help="Text of a post; - for standard input.", show_default=False)],
    dropped: Annotated[
        bool, typer.Option(help="Also print each part that is no keyword, with the reason.")
    ] = False,
) -> None:
    """Print the keywords of a text, one a line, as counting finds them; needs no server.

    Watched phrases and watched function words are not searched for. With --dropped, a line with a tab follows
    for each other part: the part and why it is no keyword.
    """
    if text == "-":
        try:
            text = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError as error:
            raise BadInputError(
                "Standard input is not UTF-8 text; convert it, for example with iconv."
            ) from error
    for keyword in text_keywords(text):
        typer.echo(keyword)
    if dropped:
        for part, reason in dropped_parts(text):
            typer.echo(f"{part}\t{reason}")


if __name__ == "__main__":
    run(keywords_command, program="python -m core.keywords_command")
