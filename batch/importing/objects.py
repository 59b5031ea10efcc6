"""Upload each file of the archive in one request: multipart uploads take an S3 server twice as long."""

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
    """pyiceberg's access to S3, except that new files are kept in memory until they are complete."""

    def __init__(self, properties: Properties, settings: Settings) -> None:
        super().__init__(properties)
        self._client = boto3.client(**settings.s3_client_arguments())

    def new_output(self, location: str) -> PyArrowFile:
        """Return a new file; the stream that its `create` returns uploads when it is closed."""
        scheme, bucket, path = self.parse_location(location, self.properties)
        return _WholeObject(self._client, location=location, path=path, fs=self.fs_by_scheme(scheme, bucket))


class _WholeObject(PyArrowFile):
    def __init__(self, client: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._client = client

    def create(self, overwrite: bool = False) -> Any:
        parameters = {"client": self._client, "multipart_upload": False}
        return smart_open.open(self.location, "wb", compression="disable", transport_params=parameters)


@contextmanager
def upload_errors_as_not_ready(settings: Settings) -> Iterator[None]:
    """Raise NotReadyError with one sentence for errors of an upload."""
    try:
        yield
    except BotoCoreError as error:
        raise NotReadyError(away(settings, str(error))) from error
    except ValueError as error:  # smart_open raises it for every error response
        if not isinstance(error.__cause__, ClientError):
            raise
        raise NotReadyError(
            f"S3 at {endpoint_of(settings)} rejects a file of the archive. Correct the cause and run the "
            f"same command again: it resumes where it stopped. ({error.__cause__})"
        ) from error
