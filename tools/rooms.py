"""`python -m tools.rooms`: the rooms of the repository, their size, their functions, and who imports whom."""

import ast
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[1]


@cache
def files() -> tuple[Path, ...]:
    """Return every Python file that git knows, relative to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return tuple(Path(name) for name in listed.stdout.splitlines() if (REPOSITORY / name).exists())


def rooms() -> list[str]:
    """Return the top-level folders that hold Python."""
    return sorted({path.parts[0] for path in files() if len(path.parts) > 1})


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a file, given relative to the repository."""
    return ast.parse((REPOSITORY / path).read_text())


@cache
def imports_of(path: Path) -> frozenset[tuple[str, str]]:
    """Return (module, name) of every import in a file; the name is empty for `import module`."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {(node.module, alias.name) for alias in node.names}
    return frozenset(found)


def files_of(room: str) -> list[Path]:
    """Return the files of a room."""
    return [path for path in files() if path.parts[0] == room]


def arrows(room: str) -> set[tuple[str, str]]:
    """Return (file, top-level module) of every import in a room."""
    return {(str(path), module.split(".")[0]) for path in files_of(room) for module, _ in imports_of(path)}


def statements(room: str) -> Iterator[int]:
    """Yield the number of statements of each function in a room, nested ones included."""
    for path in files_of(room):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield sum(isinstance(inner, ast.stmt) for inner in ast.walk(node)) - 1


def percentile(numbers: list[int], share: float) -> int:
    """Return the value below which `share` (0 to 1) of the numbers are."""
    return sorted(numbers)[int(share * len(numbers))]


def main() -> None:
    """Print a row per room: files, lines, functions, their median and p90 in statements, imports."""
    table = Table(box=None)
    for title in ("room", "files", "lines", "functions", "median", "p90", "imports"):
        table.add_column(
            title, justify="left" if title in ("room", "imports") else "right", no_wrap=title != "imports"
        )
    everything: list[int] = []
    for room in rooms():
        lengths = list(statements(room))
        everything += lengths if room != "tests" else []
        used = Counter(module for _, module in arrows(room) if module in rooms() and module != room)
        table.add_row(
            room,
            str(len(files_of(room))),
            f"{sum(len((REPOSITORY / path).read_text().splitlines()) for path in files_of(room)):,}",
            str(len(lengths)),
            f"{median(lengths):g}" if lengths else "",
            str(percentile(lengths, 0.9)) if lengths else "",
            ", ".join(f"{other} {count}" for other, count in sorted(used.items())),
        )
    console = Console(width=140)
    console.print(table)
    console.print(
        f"{len(everything):,} functions outside of tests: "
        f"median {median(everything):g} statements, 90th percentile {percentile(everything, 0.9)}"
    )


if __name__ == "__main__":
    main()
