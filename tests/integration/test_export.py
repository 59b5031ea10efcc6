"""Laws of the export: complete files or none, the rows and digits of tables and archive, no formulas."""

import csv
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from sql.connection import transaction
from sql.export import export, query_source, table_source
from tests.archived import archive_posts
from tests.factories import a_post
from tests.kafka_posts import REPOSITORY, environment

BIG = 7698971293886388232
TABLE, TEXT, OFFICE_NAMES = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("table", "text", "office")
)
CONSTANT_FORMULA = r'|of:=(("([^"]|"")*"|CHAR\((10|13)\))(&|$))+'


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for: Callable[[Settings], SparkSession]) -> Settings:
    with transaction(module_settings) as cursor:
        cursor.execute(
            "INSERT INTO watchlist (phrase, note) "
            "VALUES ('snow', '=1+1'), ('cats', '-1'), ('тренд', NULL), ('quiet', '')"
        )
        cursor.execute(
            "CREATE TABLE wide AS SELECT %s + n AS post_id, -n AS number, repeat('x', 400) AS text "
            "FROM generate_series(1, 200000) AS n",
            (BIG,),
        )
        cursor.execute("CREATE SEQUENCE numbers")
    archive_posts(
        spark_for(module_settings), module_settings, [a_post(itemInfos={"id": str(BIG)}), b"broken", b"\xff"]
    )
    return module_settings


def as_csv(settings: Settings, query: str, out: Path, *, spreadsheet_safe: bool = True) -> list[list[str]]:
    export(settings, query_source(query), str(out), spreadsheet_safe=spreadsheet_safe)
    return list(csv.reader(io.StringIO(out.read_bytes().decode("utf-8"), newline="")))


def test_a_csv_has_every_cell_and_no_formula(world, tmp_path):
    query = "SELECT phrase, note FROM watchlist ORDER BY phrase"
    assert as_csv(world, query, tmp_path / "a.csv") == [
        ["phrase", "note"],
        ["cats", '="-1"'],
        ["quiet", ""],
        ["snow", '="=1+1"'],
        ["тренд", ""],
    ]


def test_null_and_an_empty_text_stay_different(world, tmp_path):
    export(
        world,
        query_source("SELECT note FROM watchlist WHERE phrase IN ('quiet', 'тренд') ORDER BY phrase"),
        str(tmp_path / "a.csv"),
    )
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == '"note"\n""\n\n'


def test_ids_keep_their_digits_in_a_spreadsheet_and_are_plain_on_request(world, tmp_path):
    query = "SELECT post_id, number FROM wide ORDER BY number DESC LIMIT 1"
    assert as_csv(world, query, tmp_path / "a.csv")[1] == [f'="{BIG + 1}"', "-1"]
    assert as_csv(world, query, tmp_path / "b.csv", spreadsheet_safe=False)[1] == [str(BIG + 1), "-1"]


CELLS = [
    *("nice song;=1+1", "nice song,=1+1", "007", "+4915112345678", "1e5", "10/10", "MAR1", "=1+1", "-1"),
    *("+1+1", "@SUM(A1)", "\t=1", "a\tb", 'say "hi"', "two\nlines", "=two\nlines", "two\n=1+1", "\r=1"),
    *(str(BIG), "'=1", "'7", " 5", "", "1,5", "1.50", "5%", "$5", "12:30", "2026-01-05", "0x1F", "1/2"),
    *("=cmd|' /C calc'!A0", '";=1+1;"', '="x"', "тренд 7", "٧", "１２３", "🔥", "true", "may 5", "x; y"),
    *("x" * 300, "=" + "long " * 300, "3;" * 200, "\\n", "#N/A", "a=b", "#tag"),
]
OFFICE = shutil.which("soffice")


def in_a_spreadsheet(file: Path, separator: str) -> list[list[str]]:
    """Return the cells as LibreOffice shows them, read with `separator`; only texts may be computed."""
    profile = f"-env:UserInstallation={file.parent.as_uri()}/profile"
    read = f"--infilter=CSV:{ord(separator)},34,UTF8,1"
    command = [str(OFFICE), profile, "--headless", read, "--convert-to", "fods", "--outdir", str(file.parent)]
    subprocess.run([*command, str(file)], check=True, capture_output=True)
    sheet = file.with_suffix(".fods").read_text(encoding="utf-8").replace("<text:tab/>", "\t")
    rows = []
    for row in ElementTree.fromstring(sheet).iter(f"{TABLE}table-row"):
        cells = list(row.iter(f"{TABLE}table-cell"))
        formulas = [cell.get(f"{TABLE}formula", "") for cell in cells]
        assert [one for one in formulas if not re.fullmatch(CONSTANT_FORMULA, one)] == []
        paragraphs = ["\n".join("".join(line.itertext()) for line in cell.iter(f"{TEXT}p")) for cell in cells]
        values = [cell.get(f"{OFFICE_NAMES}string-value") for cell in cells]
        rows.append([one if two is None else two for one, two in zip(paragraphs, values, strict=True)])
    return rows


@pytest.mark.skipif(OFFICE is None, reason="soffice is absent")
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_spreadsheet_shows_what_is_in_the_table(world, tmp_path, separator):
    with transaction(world) as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS texts (n integer, cell text)")
        cursor.execute("TRUNCATE texts")
        cursor.executemany("INSERT INTO texts VALUES (%s, %s)", list(enumerate(CELLS)))
    query = query_source("SELECT n, cell, 'end' AS \"=1+1\" FROM texts ORDER BY n")
    export(world, query, str(tmp_path / "texts.csv"), separator=separator)
    shown = [row[:3] for row in in_a_spreadsheet(tmp_path / "texts.csv", separator)]
    assert shown[0] == ["n", "cell", "=1+1"]
    assert shown[1 : len(CELLS) + 1] == [[str(n), cell, "end"] for n, cell in enumerate(CELLS)]
    in_a_spreadsheet(tmp_path / "texts.csv", ";" if separator == "," else ",")


def test_a_table_becomes_parquet_with_its_types(world, tmp_path):
    assert export(world, table_source(world, "wide"), str(tmp_path / "wide.parquet")) == 200_000
    table = pq.read_table(tmp_path / "wide.parquet")
    assert {str(field.type) for field in table.schema} == {"int64", "int32", "string"}
    assert sum(table["post_id"].to_pylist()) == 200_000 * BIG + 200_000 * 200_001 // 2


def test_the_archive_is_a_table_like_the_others(world, tmp_path):
    assert export(world, table_source(world, "raw_posts"), str(tmp_path / "raw.parquet")) == 3
    assert b"broken" in pq.read_table(tmp_path / "raw.parquet")["value"].to_pylist()


def test_a_query_may_join_archive_and_tables(world, tmp_path):
    query = (
        "SELECT value, phrase FROM raw_posts, watchlist "
        "WHERE phrase = 'cats' AND event_time IS NULL ORDER BY \"offset\""
    )
    assert as_csv(world, query, tmp_path / "a.csv")[1:] == [["broken", "cats"], ["/w==", "cats"]]


def test_without_s3_the_sentence_says_so(world, tmp_path):
    away = world.model_copy(update={"s3_endpoint": "http://127.0.0.1:1"})
    with pytest.raises(NotReadyError, match="S3 does not answer at http"):
        export(away, table_source(away, "raw_posts"), str(tmp_path / "a.csv"))


def test_a_view_may_be_exported(world, tmp_path):
    assert export(world, table_source(world, "recent_alerts"), str(tmp_path / "alerts.csv")) == 0
    header = (tmp_path / "alerts.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith('"keyword","status",provisional,')


def test_an_unknown_table_is_an_error_with_similar_names(world):
    with pytest.raises(BadInputError, match=r"There is no table anomaly_alert\. Did you mean anomaly_alerts"):
        table_source(world, "anomaly_alert")


def test_a_query_can_change_nothing(world, tmp_path):
    with pytest.raises(BadInputError, match="Postgres rejects the query"):
        export(world, query_source("DELETE FROM watchlist RETURNING phrase"), str(tmp_path / "a.csv"))
    with pytest.raises(BadInputError, match="read-only transaction"):
        export(world, query_source("SELECT nextval('numbers')"), str(tmp_path / "a.csv"))
    assert list(tmp_path.iterdir()) == []


def test_without_permission_the_sentence_says_so(world, tmp_path):
    password = "x" * 12
    with transaction(world) as cursor:
        cursor.execute("DROP ROLE IF EXISTS stranger")
        cursor.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{password}'")
    try:
        stranger = Settings(
            **{**world.model_dump(), "postgres_user": "stranger", "postgres_password": password}
        )
        with pytest.raises(BadInputError, match="permission denied for table wide"):
            export(stranger, query_source("SELECT * FROM wide"), str(tmp_path / "a.csv"))
    finally:
        with transaction(world) as cursor:
            cursor.execute("DROP ROLE stranger")


def test_a_file_that_cannot_be_finished_leaves_the_old_one_unchanged(world, tmp_path):
    out = tmp_path / "wide.csv"
    out.write_text("old")
    with pytest.raises(BadInputError, match="division by zero"):
        export(world, query_source("SELECT 1 / (n - 150000) FROM generate_series(1, 200000) AS n"), str(out))
    assert (out.read_text(), list(tmp_path.iterdir())) == ("old", [out])


def test_a_full_disk_is_an_error_and_leaves_no_file(world, tmp_path):
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)); "
        "from core.command_line import run; from sql.commands import app; run(app)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "export", "--table", "wide", "--out", str(tmp_path / "wide.csv")],
        cwd=REPOSITORY,
        env=environment(world),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_standard_output_is_appended_to_and_has_no_messages(world, tmp_path):
    out = tmp_path / "all.csv"
    out.write_text("before\n")
    with out.open("ab") as file:
        done = subprocess.run(
            [sys.executable, "-m", "sql", "export", "--query", "SELECT 1 AS one, '@x' AS text -- end"],
            cwd=REPOSITORY,
            env=environment(world),
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert out.read_text() == """before\none,"text"\n1,"=""@x\"""\n"""
    assert done.stderr.startswith("1 rows to standard output")
