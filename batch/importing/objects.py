"""Files of the archive written by one request each: what comes in parts costs an S3 server twice the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import smart_open
from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO
from pyiceberg.typedef import Properties

from archive.storage import away, endpoint_of
from core.errors import NotReadyError
from core.settings import Settings


class WholeObjects(PyArrowFileIO):
    """pyiceberg's way to S3, with new files that are kept in memory until they are complete."""

    def __init__(self, properties: Properties, settings: Settings) -> None:
        super().__init__(properties)
        self._client = boto3.client(**settings.s3_client_arguments())

    def new_output(self, location: str) -> PyArrowFile:
        """A file to be; what `create` of it gives uploads when it is closed."""
        scheme, bucket, path = self.parse_location(location, self.properties)
        return _WholeObject(self._client, location=location, path=path, fs=self.fs_by_scheme(scheme, bucket))


class _WholeObject(PyArrowFile):
    def __init__(self, client: Any, **place: Any) -> None:
        super().__init__(**place)
        self._client = client

    def create(self, overwrite: bool = False) -> Any:
        parameters = {"client": self._client, "multipart_upload": False}
        return smart_open.open(self.location, "wb", compression="disable", transport_params=parameters)


@contextmanager
def told_if_away(settings: Settings) -> Iterator[None]:
    """Turns what an upload fails with into NotReadyError with one sentence."""
    try:
        yield
    except BotoCoreError as error:
        raise NotReadyError(away(settings, str(error))) from error
    except ValueError as error:  # which smart_open makes of every answer that is a refusal
        if not isinstance(error.__cause__, ClientError):
            raise
        raise NotReadyError(
            f"S3 at {endpoint_of(settings)} refuses a file of the archive. Mend that, and run the same command again: it goes on where it "
            f"was. ({error.__cause__})"
        ) from error
