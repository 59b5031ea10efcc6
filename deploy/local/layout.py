"""Folders, ports and credentials of one embedded stack, by default under `.local/`.

Used by every module of deploy.local; nothing here starts or opens anything except the state file.
"""

import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from core.errors import AlreadyRunningError, BadInputError

REPOSITORY = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
SERVICES = ("kafka", "kafka_controller", "s3", "postgres", "airflow", "web")
# Below the range that kernels use for outgoing connections, so that a remembered port stays free.
_PORTS = range(20000, 32000)
_ENV = "GROUNDSWELL_LOCAL"


@dataclass(frozen=True)
class Layout:
    """Folders and files of one stack; `root` is its own, `jars` may be shared by several."""

    root: Path
    jars: Path

    @property
    def logs(self) -> Path:
        """One file per program."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """One file per running program: its process id and start time."""
        return self.root / "run"

    @property
    def state_file(self) -> Path:
        """Ports and credentials; readable by the owner only."""
        return self.root / "state.json"

    @property
    def env_file(self) -> Path:
        """The same for shells; readable by the owner only."""
        return self.root / "env"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of the streaming queries."""
        return self.root / "checkpoints"

    @property
    def spark_scratch(self) -> Path:
        """Spark's scratch files."""
        return self.root / "spark"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    def data(self, server: str) -> Path:
        """Return where a server keeps its data, unless its account cannot reach it there."""
        return self.root / server


class Postgres(BaseModel):
    """Where Postgres and its data are if not in the virtual environment and under the stack's folder."""

    account: str | None = Field(description="account that it runs as; empty: the caller's")
    installation: str = Field(description="folder with bin/postgres")
    data: str = Field(description="folder of the data")


class State(BaseModel):
    """What a stack remembers: its ports and credentials."""

    ports: dict[str, int]
    postgres_password: str
    s3_access_key_id: str
    s3_secret_access_key: str
    airflow_password: str
    airflow_secret: str
    postgres: Postgres | None = None


def layout_for(root: Path | str | None = None) -> Layout:
    """Return the layout of the stack under `root`; default: $GROUNDSWELL_LOCAL, then `.local` here."""
    chosen = Path(root or os.environ.get(_ENV) or REPOSITORY / ".local").expanduser().absolute()
    jars = Path(os.environ.get(f"{_ENV}_JARS") or REPOSITORY / ".local" / "jars").expanduser().absolute()
    return Layout(chosen, jars)


def read_state(layout: Layout) -> State | None:
    """Return the remembered state, None if the stack was never started."""
    try:
        return State.model_validate_json(layout.state_file.read_text())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise BadInputError(
            f"{layout.state_file} cannot be read. Delete {layout.root} with `make clean` and start again."
        ) from error


def new_state() -> State:
    """Return a state with random credentials; `choose_ports` adds the ports."""
    return State(
        ports={},
        postgres_password=secrets.token_hex(16),
        s3_access_key_id="local" + secrets.token_hex(8),
        s3_secret_access_key=secrets.token_hex(20),
        airflow_password=secrets.token_hex(8),
        airflow_secret=secrets.token_hex(32),
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # created with mode 600
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(temporary, path)


def choose_ports(state: State, running: set[str]) -> list[str]:
    """Give every service that is not running a free port, preferably the remembered one; return changes.

    A port requested by GROUNDSWELL_LOCAL_<SERVICE>_PORT is used, or AlreadyRunningError is raised.
    """
    notes = []
    for service in SERVICES:
        if service in running:
            continue
        asked = _asked_port(service)
        remembered = state.ports.get(service)
        port = asked or remembered
        if asked and not is_free(asked):
            raise AlreadyRunningError(
                f"Port {asked} for {service} is in use by another program: stop that program, or set "
                f"{_ENV}_{service.upper()}_PORT to a free port."
            )
        if port is None or not is_free(port):
            port = free_port(set(state.ports.values()))
        if remembered not in (None, port):
            notes.append(
                f"Port {remembered} of {service} is in use by another program or was changed: "
                f"{service} now has port {port}."
            )
        state.ports[service] = port
    return notes


def _asked_port(service: str) -> int | None:
    name = f"{_ENV}_{service.upper()}_PORT"
    text = os.environ.get(name)
    if not text:
        return None
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadInputError(f"{name} is {text!r}; a port is a number from 1 to 65535.")
    return int(text)


def is_free(port: int) -> bool:
    """Return whether nothing listens on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(taken: set[int]) -> int:
    """Return a free port that is not in `taken`."""
    for _ in range(1000):
        port = secrets.choice(_PORTS)
        if port not in taken and is_free(port):
            return port
    raise AlreadyRunningError(
        f"No free port was found between {_PORTS.start} and {_PORTS.stop}. Stop programs that listen there."
    )
