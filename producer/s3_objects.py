"""An S3 object as a stream of bytes; imported only where an input is one, because the client is slow to load."""

import io
from typing import IO, Any

import boto3
import smart_open
from botocore.exceptions import BotoCoreError, ClientError

from core.errors import BadInputError
from core.settings import Settings


class S3Object(io.RawIOBase):
    """The object's bytes in order; the client's errors become OSError."""

    def __init__(self, address: str, settings: Settings) -> None:
        """`address`: s3://bucket/key."""
        self._file: IO[bytes] = smart_open.open(address, "rb", compression="disable", transport_params={"client": s3_client(settings)})

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What came next; 0 at its end."""
        try:
            data = self._file.read(len(buffer))
        except (BotoCoreError, ClientError) as error:
            raise OSError(str(error)) from error
        buffer[: len(data)] = data
        return len(data)


def size_and_version(address: str, settings: Settings) -> tuple[int, str]:
    """Length in bytes and ETag; raises BadInputError where there is no such object or no way to it."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        head = s3_client(settings).head_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError, ValueError) as error:
        raise BadInputError(f"{address} cannot be read: {error}. Check its name and the GROUNDSWELL_S3_ variables.") from error
    return int(head["ContentLength"]), str(head["ETag"])


def s3_client(settings: Settings) -> Any:
    """boto3's client with its usual patience."""
    secret = settings.s3_secret_access_key
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
    )
