"""Checks once, before Spark starts, that S3 answers: Iceberg would retry for many minutes before it fails."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from core.errors import NotReadyError
from core.settings import Settings

_FAIL_FAST = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
_CONFIGURATION_ERRORS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket"}
"""Without AccessDenied: permission to read the archive need not include listing the bucket."""


def check_storage(settings: Settings) -> None:
    """Raise NotReadyError if S3 does not answer, rejects the keys, or does not have the bucket."""
    try:
        s3_client(settings).list_objects_v2(
            Bucket=settings.s3_bucket, Prefix=f"{settings.s3_prefix}/", MaxKeys=1
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _CONFIGURATION_ERRORS:
            raise NotReadyError(refused(settings, str(error))) from error
    except BotoCoreError as error:
        raise NotReadyError(away(settings, str(error))) from error


def away(settings: Settings, why: str) -> str:
    """Return the message for an S3 that does not answer."""
    return (
        f"S3 does not answer at {endpoint_of(settings)}. "
        f"Start it, or correct GROUNDSWELL_S3_ENDPOINT, and run this again. ({why})"
    )


def refused(settings: Settings, why: str) -> str:
    """Return the message for an S3 that answers, but does not let the bucket be read."""
    return (
        f"S3 at {endpoint_of(settings)} refuses bucket {settings.s3_bucket}. "
        f"Correct the GROUNDSWELL_S3_ variables and run this again. ({why})"
    )


def endpoint_of(settings: Settings) -> str:
    """Return where S3 is, for messages."""
    return settings.s3_endpoint or f"AWS ({settings.s3_region})"


def s3_client(settings: Settings) -> Any:
    """Return a boto3 client for the archive's S3 that fails within half a minute."""
    return boto3.client(**settings.s3_client_arguments(), config=_FAIL_FAST)
