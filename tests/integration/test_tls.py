"""Laws of TLS: if configured, every client of Postgres and S3 encrypts and verifies. On real servers."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import psycopg2
import pytest

from archive.records import open_records
from core.errors import NotReadyError
from core.settings import Settings
from deploy.local.shell import client_variables
from sql.connection import transaction
from sql.lake import load_archive, metadata_location, tables_statements
from sql.migrate import migrate
from tests.archived import archive_posts
from tests.certificates import write_certificate
from tests.factories import a_post
from tests.integration.test_batch_command import batch
from tests.kafka_posts import REPOSITORY, environment
from tests.tls_front import TlsFront, tls_front

NOON = 1767614400.0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("a certificate"))


@pytest.fixture
def front(settings: Settings, certificate: tuple[Path, Path]) -> Iterator[TlsFront]:
    with tls_front(settings.postgres_port, certificate[0], for_postgres=True) as front:
        yield front


@pytest.fixture
def checked(settings: Settings, front: TlsFront, certificate: tuple[Path, Path]) -> Settings:
    """The world of `settings` with its Postgres behind TLS and full verification of the certificate."""
    proxy = {"postgres_host": "127.0.0.1", "postgres_port": front.port, "postgres_sslmode": "verify-full"}
    encrypted = settings.model_copy(
        update={**proxy, "postgres_sslrootcert": str(certificate[1]), "catalog_uri": None}
    )
    # The test's own catalog, with the URL parameters of the default one.
    return encrypted.model_copy(
        update={"catalog_uri": encrypted.catalog_jdbc_url.replace("/lake?", f"/{settings.catalog_database}?")}
    )


def test_every_postgres_client_encrypts_and_verifies(checked: Settings, front: TlsFront, spark_for) -> None:
    connections = [0]

    def assert_encrypted(client: str) -> None:
        assert front.encrypted > connections[-1], client
        connections.append(front.encrypted)

    with transaction(checked) as cursor:
        cursor.execute("SELECT 1")
    assert_encrypted("psycopg2")
    migrate(checked)
    assert_encrypted("yoyo")
    lake = spark_for(checked)
    archive_posts(lake, checked, [a_post(time_stamp=NOON)])
    assert_encrypted("the catalog in Java")
    assert lake.read.jdbc(checked.postgres_jdbc_url, "posts", properties=jdbc_login(checked)).count() == 0
    assert_encrypted("JDBC")
    assert metadata_location(checked)
    assert_encrypted("the catalog by SQL")
    assert load_archive(checked).metadata_location == metadata_location(checked)
    assert_encrypted("pyiceberg")
    with duckdb.connect() as database:
        for statement in tables_statements(checked):
            database.execute(statement)
        assert database.execute("SELECT count(*) FROM tables.posts").fetchone() == (0,)
    assert_encrypted("DuckDB")
    psql = subprocess.run(
        ["psql", "-XAtc", "SELECT ssl FROM pg_stat_ssl LIMIT 0"],
        env=client_environment(checked),
        capture_output=True,
        text=True,
    )
    assert psql.returncode == 0, psql.stderr
    assert_encrypted("psql")
    assert front.refused == 0


def jdbc_login(settings: Settings) -> dict[str, str]:
    return {
        "user": settings.postgres_user,
        "password": settings.postgres_password.get_secret_value(),
        "driver": "org.postgresql.Driver",
    }


def client_environment(settings: Settings) -> dict[str, str]:
    return {**environment(settings), **client_variables(settings)}


def test_a_certificate_of_another_authority_is_rejected(checked: Settings, tmp_path: Path, spark_for) -> None:
    _, other = write_certificate(tmp_path)
    misled = checked.model_copy(update={"postgres_sslrootcert": str(other)})
    with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
        transaction(misled).__enter__()
    with pytest.raises(Exception, match=r"(?i)certificate|PKIX|SSL error"):
        spark_for(misled).read.jdbc(misled.postgres_jdbc_url, "posts", properties=jdbc_login(misled)).count()


def test_a_server_without_tls_is_rejected_if_tls_is_required(settings: Settings) -> None:
    bare = settings.model_copy(update={"postgres_sslmode": "require"})
    done = batch(bare, "2026-01-05")
    assert done.returncode == 1
    assert "server does not support SSL, but SSL was required" in done.stderr


def test_s3_with_a_self_signed_certificate(
    settings: Settings, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.s3_endpoint is not None
    port = urlsplit(settings.s3_endpoint).port
    assert port is not None
    with tls_front(port, certificate[0]) as front:
        behind = settings.model_copy(
            update={"s3_endpoint": f"https://127.0.0.1:{front.port}", "spark_driver_memory": "1g"}
        )
        refused = batch(behind, "2026-01-05", "--assume-complete")
        assert (
            refused.returncode == 1
            and "S3 does not answer" in refused.stderr
            and "CERTIFICATE_VERIFY_FAILED" in refused.stderr
        )
        for line in trust_commands():
            subprocess.run(
                ["bash", "-c", line.replace("/etc/ssl/s3-ca.pem", f"'{certificate[1]}'")],
                cwd=tmp_path,
                check=True,
            )
        trusting = trust_variables(tmp_path, certificate[1])
        done = subprocess.run(
            [sys.executable, "-m", "streaming", "--only", "archive", "--once"],
            cwd=REPOSITORY,
            env=environment(behind, **trusting),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert front.encrypted > 0
        assert_duckdb_reads(behind, trusting, monkeypatch)


def assert_duckdb_reads(
    settings: Settings, trusting: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    span = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)
    with pytest.raises(NotReadyError, match="certificate"), open_records(settings) as reader:
        reader.count([span])
    monkeypatch.setenv("AWS_CA_BUNDLE", trusting["AWS_CA_BUNDLE"])
    with open_records(settings) as reader:
        assert reader.count([span]) == {}


def trust_commands() -> list[str]:
    """Return the commands of docs/security.md that create Java's trust store."""
    page = (REPOSITORY / "docs" / "security.md").read_text()
    return [line for line in page.splitlines() if line.startswith("keytool ")]


def trust_variables(folder: Path, authority: Path) -> dict[str, str]:
    """Return the variables of docs/security.md, for a trust store in `folder`."""
    page = (REPOSITORY / "docs" / "security.md").read_text()
    lines = [
        line.removeprefix("export ")
        for line in page.splitlines()
        if line.startswith("export ") and "s3" in line
    ]
    pairs = [line.partition("=")[::2] for line in lines]
    return {
        name: value.strip('"')
        .replace("/etc/ssl/s3-ca.pem", str(authority))
        .replace("/etc/ssl/s3-trust.p12", str(folder / "s3-trust.p12"))
        for name, value in pairs
    }
