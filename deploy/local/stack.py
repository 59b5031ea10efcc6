"""The three servers as one: up, down, status, clean, and the settings of programs that use them."""

import fcntl
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import NotReadyError
from core.settings import Settings
from deploy.local import processes
from deploy.local.layout import (
    LOOPBACK,
    Layout,
    State,
    choose_ports,
    layout_for,
    new_state,
    read_state,
    write_private,
)
from deploy.local.servers.kafka import kafka_server
from deploy.local.servers.postgres import USER, choose_place, delete_data, postgres_server
from deploy.local.servers.s3 import s3_server
from deploy.local.servers.server import Server, bring_up
from deploy.local.servers.web import web_settings
from deploy.local.shell import write_env

SERVERS = ("kafka", "s3", "postgres")
BUCKET = "groundswell"


@dataclass(frozen=True)
class ServerStatus:
    """What `status` shows of a server or of another program that the stack started."""

    name: str
    pid: int | None
    port: int | None
    memory_bytes: int
    data_bytes: int
    log: Path


def stack_settings(local: Layout | Path | None = None) -> Settings:
    """Return the settings for the stack under `local` (default `.local`); NotReadyError if never started."""
    layout = local if isinstance(local, Layout) else layout_for(local)
    return settings_of(layout, known_state(layout))


def settings_of(layout: Layout, state: State) -> Settings:
    """Return the settings for a stack."""
    return Settings(
        kafka_bootstrap_servers=f"{LOOPBACK}:{state.ports['kafka']}",
        postgres_host=LOOPBACK,
        postgres_port=state.ports["postgres"],
        postgres_database="groundswell",
        postgres_user=USER,
        postgres_password=state.postgres_password,  # type: ignore[arg-type]
        postgres_sslmode="disable",
        s3_bucket=BUCKET,
        s3_endpoint=f"http://{LOOPBACK}:{state.ports['s3']}",
        s3_access_key_id=state.s3_access_key_id,
        s3_secret_access_key=state.s3_secret_access_key,  # type: ignore[arg-type]
        spark_jars_dir=str(layout.jars / "spark"),
        spark_local_dir=str(layout.spark_scratch),
        checkpoint_dir=str(layout.checkpoints),
        producer_state_dir=str(layout.root / "producer"),
        **web_settings(state),
    )


def up(layout: Layout) -> list[str]:
    """Start what does not run and create topics, bucket, databases and schema; return notes for the user.

    Raises NotReadyError if a server does not start; those that this call started are then stopped again.
    """
    with _locked(layout):
        state, notes = _prepared(layout)
        running = _running_services(layout)
        settings = settings_of(layout, state)
        for folder in (layout.checkpoints, layout.spark_scratch):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            _bring_up_together(
                layout, [make(layout, state, settings) for make in (kafka_server, s3_server, postgres_server)]
            )
        except BaseException:
            _stop(layout, [name for name in SERVERS if name not in running])
            raise
        write_env(layout, state, settings)
        return notes


def prepare(layout: Layout) -> State:
    """Choose ports and credentials without starting anything, so that settings are known early."""
    with _locked(layout):
        return _prepared(layout)[0]


def down(layout: Layout) -> list[str]:
    """Stop every program that the stack started, the servers last; return their names."""
    with _locked(layout):
        programs = processes.all_running(layout)
        others = [program.name for program in programs if program.name not in SERVERS]
        servers = [program.name for program in programs if program.name in SERVERS]
        _stop(layout, others)
        _stop(layout, servers)
        return [*others, *servers]


def clean(layout: Layout) -> None:
    """Stop everything and delete data, logs, ports and credentials; the Java archives stay."""
    down(layout)
    state = read_state(layout)
    if state is not None:
        delete_data(layout, state)
    for entry in layout.root.iterdir() if layout.root.exists() else ():
        if entry in (layout.jars, layout.jars.parent) or entry.name == "ivy":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def status(layout: Layout) -> list[ServerStatus]:
    """Return one row per server, running or not, then one for every other running program."""
    state = read_state(layout)
    running = {program.name: program for program in processes.all_running(layout)}
    names = [*SERVERS, *(name for name in running if name not in SERVERS)]
    return [_status_of(layout, state, name, running.get(name)) for name in names]


def _prepared(layout: Layout) -> tuple[State, list[str]]:
    state = read_state(layout) or new_state()
    running = _running_services(layout)
    notes = choose_ports(state, running)
    if "postgres" not in running or state.postgres is None:
        state.postgres = choose_place(layout, state.postgres)
    write_private(layout.state_file, state.model_dump_json(indent=1))
    return state, notes


def _status_of(
    layout: Layout, state: State | None, name: str, program: processes.Program | None
) -> ServerStatus:
    data = Path(state.postgres.data) if name == "postgres" and state and state.postgres else layout.data(name)
    return ServerStatus(
        name=name,
        pid=program.pid if program else None,
        port=state.ports.get(name) if state else None,
        memory_bytes=processes.memory_bytes(program) if program else 0,
        data_bytes=sum(path.stat().st_blocks * 512 for path in data.rglob("*") if path.is_file())
        if data.exists()
        else 0,
        log=processes.log_path(layout, name),
    )


def _bring_up_together(layout: Layout, servers: list[Server]) -> None:
    with ThreadPoolExecutor(len(servers)) as pool:
        for future in [pool.submit(bring_up, layout, server) for server in servers]:
            future.result()


def _stop(layout: Layout, names: list[str]) -> None:
    """Stop programs in parallel."""
    programs = [program for name in names if (program := processes.running(layout, name))]
    if programs:
        with ThreadPoolExecutor(len(programs)) as pool:
            list(pool.map(lambda program: processes.stop(layout, program), programs))


def _running_services(layout: Layout) -> set[str]:
    names = {program.name for program in processes.all_running(layout)}
    return (
        names
        | ({"kafka_controller"} if "kafka" in names else set())
        | ({"airflow"} if "airflow-api" in names else set())
    )


def known_state(layout: Layout) -> State:
    """Return the state of a stack that was started before; NotReadyError if it never was."""
    state = read_state(layout)
    if state is None:
        raise NotReadyError(f"No stack was started under {layout.root} yet. Run `make up`.")
    return state


@contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    """One `up` or `down` at a time for a stack; the second waits."""
    layout.run.mkdir(parents=True, exist_ok=True)
    with (layout.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
