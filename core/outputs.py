"""Files that a command writes are neither files that it reads nor one another."""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

from core.errors import BadInputError


def reject_overwriting(reads: Mapping[str, Path | None], writes: Mapping[str, Path | None]) -> None:
    """Raise BadInputError if an output is an input or another output, also through a link.

    Keys say what a path is, as in `{"--out": path}`; None is an option that was not given. Devices and pipes
    may be given twice.
    """
    inputs, outputs = _given(reads), _given(writes)
    pairs = [(out, other) for out in outputs.items() for other in inputs.items()]
    for (name, path), (other_name, other) in [*pairs, *combinations(outputs.items(), 2)]:
        if _is_same_file(path, other):
            raise BadInputError(
                f"{path} is both {name} and {other_name}, which would be overwritten. Give two paths."
            )


def _given(paths: Mapping[str, Path | None]) -> dict[str, Path]:
    return {name: path for name, path in paths.items() if path is not None}


def _is_same_file(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.resolve() == other.resolve()
