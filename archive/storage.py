"""Whether S3 answers, asked once before Spark is started: Iceberg tries for many minutes before it gives up."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from core.errors import NotReadyError
from core.settings import Settings

_IMPATIENT = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
_REFUSALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket"}
"""Not AccessDenied: who may read the archive need not be allowed to list the bucket."""


def check_storage(settings: Settings) -> None:
    """Raise NotReadyError where S3 is away, does not know the keys, or has no such bucket."""
    try:
        s3_client(settings).list_objects_v2(
            Bucket=settings.s3_bucket, Prefix=f"{settings.s3_prefix}/", MaxKeys=1
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _REFUSALS:
            raise NotReadyError(
                f"S3 at {endpoint_of(settings)} refuses bucket {settings.s3_bucket}. "
                f"Correct the GROUNDSWELL_S3_ variables and run this again. ({error})"
            ) from error
    except BotoCoreError as error:
        raise NotReadyError(away(settings, str(error))) from error


def away(settings: Settings, why: str) -> str:
    """The sentence for an S3 that does not answer."""
    return f"S3 does not answer at {endpoint_of(settings)}. Start it, or correct GROUNDSWELL_S3_ENDPOINT, and run this again. ({why})"


def endpoint_of(settings: Settings) -> str:
    """Where S3 is, for people."""
    return settings.s3_endpoint or f"AWS ({settings.s3_region})"


def s3_client(settings: Settings) -> Any:
    """boto3's client for the archive's S3, which gives up within half a minute."""
    return boto3.client(**settings.s3_client_arguments(), config=_IMPATIENT)
