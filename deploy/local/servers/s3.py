"""The embedded S3: s3proxy over a folder, and the bucket of the archive."""

import re
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from core.settings import Settings
from deploy.local.java import java_command
from deploy.local.layout import LOOPBACK, Layout, State, write_private
from deploy.local.servers.kafka import answers
from deploy.local.servers.server import Server

_LOGGING = Path(__file__).parent / "s3-logback.xml"
# What a PUT leaves behind that was in flight when the server was killed: the key with a UUID behind it.
_PARTIAL = re.compile(r"-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")


def s3_server(layout: Layout, state: State, settings: Settings) -> Server:
    """The S3 server of this stack."""
    port = state.ports["s3"]
    configuration = layout.run / "s3proxy.conf"
    return Server(
        name="s3",
        port=port,
        command=java_command(
            layout,
            "s3",
            ["-Xmx256m", "-XX:+UseSerialGC", f"-Dlogback.configurationFile={_LOGGING.as_uri()}"],
            "org.gaul.s3proxy.Main",
            *("--properties", str(configuration)),
        ),
        data=layout.data("s3"),
        prepare=lambda: _prepare(layout.data("s3"), configuration, state),
        is_ready=lambda: answers(port) and _lists(settings),
        provision=lambda: create_bucket(settings),
    )


def s3_client(settings: Settings) -> Any:
    """A boto3 client of the embedded server, with quick refusals instead of long retries."""
    patience = Config(
        connect_timeout=2, read_timeout=10, retries={"max_attempts": 2}, s3={"addressing_style": "path"}
    )
    return boto3.client(**settings.s3_client_arguments(), config=patience)


def create_bucket(settings: Settings) -> None:
    """Create the archive's bucket where it is missing."""
    client = s3_client(settings)
    if settings.s3_bucket not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=settings.s3_bucket)


def delete_partial_objects(folder: Path) -> list[Path]:
    """Delete what writes that a kill cut short have left in the folder of a server that does not run."""
    partial = [path for path in folder.rglob("*") if _PARTIAL.search(path.name) and path.is_file()]
    for path in partial:
        path.unlink()
    return partial


def _prepare(data: Path, configuration: Path, state: State) -> None:
    data.mkdir(parents=True, exist_ok=True)
    delete_partial_objects(data)
    properties = {
        "s3proxy.endpoint": f"http://{LOOPBACK}:{state.ports['s3']}",
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": state.s3_access_key_id,
        "s3proxy.credential": state.s3_secret_access_key,
        "jclouds.provider": "filesystem-nio2",
        "jclouds.filesystem.basedir": str(data).replace("\\", "\\\\"),
    }
    write_private(configuration, "".join(f"{name}={value}\n" for name, value in properties.items()))


def _lists(settings: Settings) -> bool:
    try:
        s3_client(settings).list_buckets()
    except (BotoCoreError, ClientError):
        return False
    return True
