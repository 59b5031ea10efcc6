"""Laws of Kafka's further properties: numbers reach the client as numbers, and what is no JSON is one sentence."""

import pytest

from core.errors import SettingsError
from core.settings import read_settings

REQUIRED = {"kafka_bootstrap_servers": "kafka:9092", "postgres_host": "db", "postgres_password": "x", "s3_bucket": "lake"}


def test_java_names_become_the_clients_and_numbers_numbers() -> None:
    settings = read_settings(**REQUIRED, kafka_options={"request.timeout.ms": "5000", "security.protocol": "SASL_SSL"})
    assert settings.kafka_python_arguments() == {
        "bootstrap_servers": "kafka:9092", "request_timeout_ms": 5000, "security_protocol": "SASL_SSL"
    }  # fmt: skip


def test_options_that_are_no_json_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_KAFKA_OPTIONS", "acks=all")
    with pytest.raises(SettingsError, match=r"A setting cannot be read: .*kafka_options"):
        read_settings(**REQUIRED)
