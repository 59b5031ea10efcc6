"""The outside of a CSV file: compression, separator, header, ends of lines, and where a record begins."""

import csv
import gzip
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from core.errors import BadInputError

_GZIP = b"\x1f\x8b"
_SEPARATORS = ",;\t|"
_UNNAMED = re.compile(r"(unnamed: \d+)?")
"""The names that an index column has, or that separators at the end of a header leave."""


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose first line was read."""

    path: Path
    compressed: bool
    separator: str
    columns: tuple[str, ...]
    """The columns in lower case; one without a name is a blank and its position."""

    @property
    def named(self) -> list[str]:
        """The columns that have a name of their own, in order."""
        return [name for name in self.columns if not name.startswith(" ")]

    def line_of(self, record: int) -> int:
        """Return the line on which a record begins, as editors count: blank lines and quoted breaks too."""
        with _open(self.path, self.compressed) as lines:
            rows, number, begins = csv.reader(lines, delimiter=self.separator), -1, 1
            for row in rows:
                number += bool(row)
                if number == record:
                    break
                begins = rows.line_num + 1
        return begins

    def copy_with_one_line_end(self, copy: Path) -> "CsvFile":
        """Write the file to `copy`, uncompressed and with LF alone, and return that."""
        with _open(self.path, self.compressed, newline=None) as text, copy.open("w", newline="\n") as out:
            shutil.copyfileobj(text, out)
        return CsvFile(copy, compressed=False, separator=self.separator, columns=self.columns)


def open_csv(path: Path, is_usable: Callable[[Sequence[str]], bool], required: str) -> CsvFile:
    """Read the header of `path` (UTF-8, plain or gzip) and find its separator.

    The separator is the first of comma, semicolon, tab and bar with which `is_usable` accepts the named
    columns, else the comma. Raises BadInputError, which ends with the sentence `required`, if there is no
    header.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == _GZIP
        with _open(path, compressed) as lines:
            start = [line for line, _ in zip(lines, range(2), strict=False)]
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise BadInputError(
            f"{path} cannot be read: {error}. Give a CSV file in UTF-8, plain or .gz."
        ) from error
    files = [CsvFile(path, compressed, one, _columns(start, one)) for one in _SEPARATORS]
    found = next((file for file in files if is_usable(file.named)), files[0])
    if not found.named or len(set(found.named)) < len(found.named):
        raise BadInputError(f"{path} line 1: no header with distinct names. {required}")
    return found


def _open(path: Path, compressed: bool, newline: str | None = "") -> TextIO:
    return (gzip.open if compressed else open)(path, "rt", encoding="utf-8-sig", newline=newline)


def _columns(start: Sequence[str], separator: str) -> tuple[str, ...]:
    """Return the columns by the first two lines.

    Separators at the end of the header count if the next line has a value there. An index column may be
    missing in the header, as R writes it.
    """
    header, first = (next(csv.reader([line], delimiter=separator), []) for line in (*start, "", "")[:2])
    names = [name.strip().lower() for name in header]
    while names and not names[-1] and not any(first[len(names) - 1 :]):
        names.pop()
    if len(first) == len(names) + 1 and first[0] in {"0", "1"} and first[-1]:
        names.insert(0, "")
    return tuple(f" {number}" if _UNNAMED.fullmatch(name) else name for number, name in enumerate(names, 1))
