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
        self._file: IO[bytes] = smart_open.open(
            address,
            "rb",
            compression="disable",
            transport_params={"client": boto3.client(**settings.s3_client_arguments())},
        )

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
        head = boto3.client(**settings.s3_client_arguments()).head_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError, ValueError) as error:
        raise BadInputError(
            f"{address} cannot be read: {error}. Check its name and the GROUNDSWELL_S3_ variables."
        ) from error
    return int(head["ContentLength"]), str(head["ETag"])
