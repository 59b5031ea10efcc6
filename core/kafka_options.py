"""Translates Kafka client properties from their Java names, as Kafka documents them, for the Python clients.

Spark takes them unchanged; kafka-python and librdkafka have their own names, read only PEM files and do not
support JAAS.
"""

import re
from collections.abc import Mapping

from core.errors import SettingsError

LOGIN_MODULES = ("PlainLoginModule", "ScramLoginModule")
JAVA_ONLY = {
    "ssl.truststore.type",
    "ssl.keystore.type",
    "ssl.truststore.password",
    "sasl.client.callback.handler.class",
}
_SAME_FILE = {
    "ssl.truststore.location": ("ssl_cafile",),
    "ssl.keystore.location": ("ssl_certfile", "ssl_keyfile"),
}
_LIBRDKAFKA_FILES = {
    "ssl.truststore.location": ("ssl.ca.location",),
    "ssl.keystore.location": ("ssl.certificate.location", "ssl.key.location"),
}
_LIBRDKAFKA_NAMES = {
    "max.request.size": "message.max.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "send.buffer.bytes": "socket.send.buffer.bytes",
}
_LOGIN = re.compile(
    r"""\s*(?P<module>[\w.]+)\s+(?:required|requisite|sufficient|optional)\b(?P<options>.*?);\s*""", re.DOTALL
)
_OPTION = re.compile(r"""\s*(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"';]+))""")


def kafka_python_options(options: Mapping[str, str]) -> dict[str, str | int | bool]:
    """Return `options` with kafka-python's names and types; raise SettingsError if one cannot be translated.

    >>> module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    >>> login = f'{module} required username="anna" password="x y";'
    >>> kafka_python_options({"security.protocol": "SASL_SSL", "request.timeout.ms": "5000"})
    {'security_protocol': 'SASL_SSL', 'request_timeout_ms': 5000}
    >>> kafka_python_options({"sasl.jaas.config": login})
    {'sasl_plain_username': 'anna', 'sasl_plain_password': 'x y'}
    """
    translated: dict[str, str | int | bool] = {}
    for name, value in options.items():
        if name == "sasl.jaas.config":
            translated |= _login(value)
        elif name in _SAME_FILE:
            _require_pem(options, name)
            translated |= dict.fromkeys(_SAME_FILE[name], value)
        elif name == "ssl.key.password":
            translated["ssl_password"] = value
        elif name == "ssl.endpoint.identification.algorithm":
            translated["ssl_check_hostname"] = value.strip().lower() == "https"
        elif name not in JAVA_ONLY:
            translated[name.replace(".", "_")] = int(value) if value.isdecimal() else value
    return translated


def librdkafka_options(options: Mapping[str, str]) -> dict[str, str]:
    """Return `options` with librdkafka's names; raise SettingsError if one cannot be translated.

    >>> librdkafka_options({"security.protocol": "SSL", "ssl.endpoint.identification.algorithm": ""})
    {'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': 'none'}
    """
    translated: dict[str, str] = {}
    for name, value in options.items():
        if name == "sasl.jaas.config":
            login = _login(value)
            translated |= {f"sasl.{key.removeprefix('sasl_plain_')}": text for key, text in login.items()}
        elif name in _LIBRDKAFKA_FILES:
            _require_pem(options, name)
            translated |= dict.fromkeys(_LIBRDKAFKA_FILES[name], value)
        elif name == "ssl.endpoint.identification.algorithm":
            translated[name] = value.strip().lower() or "none"
        elif name not in JAVA_ONLY:
            translated[_LIBRDKAFKA_NAMES.get(name, name)] = value
    return translated


def _login(jaas: str) -> dict[str, str]:
    """Return user and password from a `sasl.jaas.config` line (Java's Configuration syntax).

    Empty for login modules that do not use them.
    """
    login = _LOGIN.fullmatch(jaas)
    if login is None:
        raise SettingsError(
            "sasl.jaas.config in GROUNDSWELL_KAFKA_OPTIONS cannot be read. Write it as "
            'org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="...";'
        )
    if login["module"].rpartition(".")[2] not in LOGIN_MODULES:
        return {}
    values = {
        name: re.sub(r"\\(.)", r"\1", double or single or bare)
        for name, double, single, bare in _OPTION.findall(login["options"])
    }
    missing = [name for name in ("username", "password") if name not in values]
    if missing:
        raise SettingsError(
            f"sasl.jaas.config in GROUNDSWELL_KAFKA_OPTIONS has no {' and no '.join(missing)}."
        )
    return {"sasl_plain_username": values["username"], "sasl_plain_password": values["password"]}


def _require_pem(options: Mapping[str, str], name: str) -> None:
    kind = name.replace(".location", ".type")
    if options.get(kind, "JKS").upper() != "PEM":
        raise SettingsError(
            f"{name} in GROUNDSWELL_KAFKA_OPTIONS must be a PEM file, which both Java and Python can read. "
            f"Convert it and set {kind}=PEM as well."
        )
