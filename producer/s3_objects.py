"""Read an S3 object as a stream; imported only when needed, because the client is slow to load."""

import io
from typing import IO, Any

import boto3
import smart_open
from botocore.exceptions import BotoCoreError, ClientError

from core.errors import BadInputError
from core.settings import Settings


class S3Object(io.RawIOBase):
    """An S3 object as a raw stream; errors of the client are raised as OSError."""

    def __init__(self, address: str, settings: Settings) -> None:
        """`address`: s3://bucket/key."""
        self._file: IO[bytes] = smart_open.open(
            address,
            "rb",
            compression="disable",
            transport_params={"client": boto3.client(**settings.s3_client_arguments())},
        )

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, with a new request; return it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes; return how many, 0 at the end."""
        try:
            data = self._file.read(len(buffer))
        except (BotoCoreError, ClientError) as error:
            raise OSError(str(error)) from error
        buffer[: len(data)] = data
        return len(data)


def size_and_version(address: str, settings: Settings) -> tuple[int, str]:
    """Return length in bytes and ETag; raises BadInputError if the object is missing or out of reach."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        head = boto3.client(**settings.s3_client_arguments()).head_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError, ValueError) as error:
        raise BadInputError(
            f"{address} cannot be read: {error}. Check its name and the GROUNDSWELL_S3_ variables."
        ) from error
    return int(head["ContentLength"]), str(head["ETag"])
