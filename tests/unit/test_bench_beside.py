"""Engines beside detection: on the same posts all of them count the same."""

from pathlib import Path

import pyarrow as pa
import pytest
import xxhash

from benchmarks.beside.engines import ENGINES
from benchmarks.beside.posts import Counts, digest_of, files_in, read_post, write_posts
from core.errors import NotReadyError
from core.text_keywords import text_keywords
from core.windows import window_number
from detection.open_windows import POSTS, OpenWindows

POSTS_A_FILE = 1_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("posts")
    write_posts(folder, 2_500, POSTS_A_FILE)
    return files_in(folder)


def counted_by_detection(files: list[Path]) -> tuple[Counts, int]:
    """Return the counts of three posts and more as detection's memory has them, and the number of all."""
    windows = OpenWindows()
    counts: dict[tuple[int, str], int] = {}
    for path in files:
        rows = []
        for line in path.read_bytes().splitlines():
            post = read_post(line)
            words = text_keywords(post.text)
            hashes = [xxhash.xxh64(word.encode(), seed=42).intdigest() - 2**63 for word in words]
            figures = (post.post_id, post.window, int(post.seconds * 1e6), 0, 0, 1, 1)
            rows.append(dict(zip(POSTS.names, (*figures, words, hashes), strict=True)))
        for row in windows.add(pa.Table.from_pylist(rows, schema=POSTS)).counts.to_pylist():
            counts[window_number(row["window_start"]), row["keyword"]] = row["posts"]
    return counts, windows.keywords


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_counts_what_detection_counts(files: list[Path], tmp_path: Path, name: str) -> None:
    try:
        result = ENGINES[name](files, tmp_path)
    except NotReadyError as error:
        pytest.skip(str(error))
    counts, keys = counted_by_detection(files)
    assert len(counts) > 50
    assert (result.digest, result.keys) == (digest_of(counts), keys)
