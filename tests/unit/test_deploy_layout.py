"""Ports and credentials are chosen once, remembered and private."""

import socket
from pathlib import Path

import pytest

from core.errors import AlreadyRunningError, BadInputError, NotReadyError
from deploy.local import processes
from deploy.local.layout import Layout, choose_ports, layout_for, new_state, read_state, write_private
from deploy.local.servers.s3 import delete_partial_objects
from deploy.local.shell import settings_variables
from deploy.local.stack import settings_of, stack_settings


def test_ports_are_chosen_once_and_remembered() -> None:
    state = new_state()
    assert choose_ports(state, set()) == []
    chosen = dict(state.ports)
    assert sorted(chosen) == ["airflow", "kafka", "kafka_controller", "postgres", "s3", "web"]
    assert len(set(chosen.values())) == 6
    assert choose_ports(state, set()) == []
    assert state.ports == chosen


def test_a_port_of_a_running_server_is_left_alone() -> None:
    state = new_state()
    choose_ports(state, set())
    with socket.create_server(("127.0.0.1", state.ports["s3"])):
        before = dict(state.ports)
        assert choose_ports(state, {"s3"}) == []
    assert state.ports == before


def test_a_port_that_was_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("GROUNDSWELL_LOCAL_KAFKA_PORT", str(port))
        with pytest.raises(AlreadyRunningError) as error:
            choose_ports(new_state(), set())
    assert str(error.value) == (
        f"Port {port} for kafka is in use by another program: stop that program, or set "
        "GROUNDSWELL_LOCAL_KAFKA_PORT to a free port."
    )


def test_credentials_differ_from_installation_to_installation() -> None:
    one, other = new_state(), new_state()
    assert one.postgres_password != other.postgres_password
    assert one.s3_secret_access_key != other.s3_secret_access_key
    assert one.airflow_password != other.airflow_password


def test_a_private_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "new" / "file", "secret")
    assert (tmp_path / "new" / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_a_state_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path)
    layout.state_file.write_text("{}")
    with pytest.raises(BadInputError, match=r"Delete .* with `make clean` and start again"):
        read_state(layout)


def test_settings_of_a_stack_that_was_never_started(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="Run `make up`"):
        stack_settings(tmp_path)


def test_several_stacks_by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_LOCAL", "/srv/one")
    monkeypatch.setenv("GROUNDSWELL_LOCAL_JARS", "/srv/jars")
    assert layout_for() == Layout(Path("/srv/one"), Path("/srv/jars"))
    assert layout_for("/srv/other").root == Path("/srv/other")


def test_the_variables_of_a_stack_hold_its_secrets_in_clear(tmp_path: Path) -> None:
    state = new_state()
    choose_ports(state, set())
    variables = settings_variables(settings_of(Layout(tmp_path, tmp_path), state))
    assert variables["GROUNDSWELL_POSTGRES_PASSWORD"] == state.postgres_password
    assert variables["GROUNDSWELL_S3_SECRET_ACCESS_KEY"] == state.s3_secret_access_key
    assert variables["GROUNDSWELL_KAFKA_BOOTSTRAP_SERVERS"] == f"127.0.0.1:{state.ports['kafka']}"


def test_a_log_that_has_grown_is_rotated(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path)
    processes.open_log(layout, "kafka").close()
    assert processes.log_end(layout, "kafka") == 0
    processes.log_path(layout, "kafka").write_bytes(b"x" * 20_000_001)
    assert processes.log_end(layout, "kafka") == 0
    assert (tmp_path / "logs" / "kafka.log.1").stat().st_size == 20_000_001


def test_what_a_killed_upload_left_behind_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    whole = tmp_path / "bucket" / "key"
    partial = tmp_path / "bucket" / "key-0a1b2c3d-0000-4000-8000-0123456789ab"
    whole.touch()
    partial.touch()
    assert delete_partial_objects(tmp_path) == [partial]
    assert whole.exists()
