"""Laws of Kafka properties: Java names are translated for the Python client, or rejected with what to do."""

import pytest

from core.errors import SettingsError
from core.kafka_options import kafka_python_options, librdkafka_options
from core.settings import read_settings

REQUIRED = {
    "kafka_bootstrap_servers": "kafka:9092",
    "postgres_host": "db",
    "postgres_password": "x",
    "s3_bucket": "lake",
}
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


def test_java_names_become_python_names_and_digits_become_numbers() -> None:
    settings = read_settings(
        **REQUIRED, kafka_options={"request.timeout.ms": "5000", "security.protocol": "SASL_SSL"}
    )
    assert settings.kafka_python_arguments() == {
        "bootstrap_servers": "kafka:9092",
        "request_timeout_ms": 5000,
        "security_protocol": "SASL_SSL",
    }


@pytest.mark.parametrize(
    ("jaas", "user", "password"),
    [
        (f'{PLAIN} required username="anna" password="right";', "anna", "right"),
        (f"{SCRAM} required\n  username='anna'\n  password='a \"b\" c=d;e' ;", "anna", 'a "b" c=d;e'),
        (
            f'{PLAIN} required serviceName="kafka" username=anna password="back\\\\slash \\"q\\"";',
            "anna",
            'back\\slash "q"',
        ),
    ],
)
def test_a_jaas_login_becomes_user_and_password(jaas: str, user: str, password: str) -> None:
    assert kafka_python_options({"sasl.jaas.config": jaas}) == {
        "sasl_plain_username": user,
        "sasl_plain_password": password,
    }
    assert librdkafka_options({"sasl.jaas.config": jaas}) == {
        "sasl.username": user,
        "sasl.password": password,
    }


def test_pem_files_are_translated_and_java_only_properties_are_left_out() -> None:
    options = {
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/ca.pem",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": "/me.pem",
        "ssl.key.password": "x",
        "ssl.endpoint.identification.algorithm": "",
        "sasl.mechanism": "AWS_MSK_IAM",
        "sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
        "sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
    }
    assert kafka_python_options(options) == {
        "ssl_cafile": "/ca.pem",
        "ssl_certfile": "/me.pem",
        "ssl_keyfile": "/me.pem",
        "ssl_password": "x",
        "ssl_check_hostname": False,
        "sasl_mechanism": "AWS_MSK_IAM",
    }
    assert librdkafka_options(options) == {
        "ssl.ca.location": "/ca.pem",
        "ssl.certificate.location": "/me.pem",
        "ssl.key.location": "/me.pem",
        "ssl.key.password": "x",
        "ssl.endpoint.identification.algorithm": "none",
        "sasl.mechanism": "AWS_MSK_IAM",
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"sasl.jaas.config": "username=anna password=secret"},
            "in GROUNDSWELL_KAFKA_OPTIONS cannot be read. Write it as",
        ),
        ({"sasl.jaas.config": f'{PLAIN} required username="anna";'}, "has no password."),
        (
            {"ssl.truststore.location": "/ca.jks"},
            "must be a PEM file, which both Java and Python can read. "
            "Convert it and set ssl.truststore.type=PEM as well.",
        ),
    ],
)
def test_what_python_cannot_use_is_rejected_with_what_to_do_and_without_the_password(
    options: dict[str, str], sentence: str
) -> None:
    for translate in (kafka_python_options, librdkafka_options):
        with pytest.raises(SettingsError) as raised:
            translate(options)
        assert sentence in str(raised.value)
        assert "secret" not in str(raised.value)


def test_options_that_are_not_json_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_KAFKA_OPTIONS", "acks=all")
    with pytest.raises(SettingsError, match=r"A setting cannot be read: .*kafka_options"):
        read_settings(**REQUIRED)


def test_passwords_in_options_are_not_printed_with_the_settings() -> None:
    settings = read_settings(
        **REQUIRED, kafka_options={"sasl.jaas.config": f'{PLAIN} required username="anna" password="hidden";'}
    )
    assert "hidden" not in repr(settings)
