"""Properties of a Kafka client by their Java names, as Kafka's documentation has them, for the client in Python.

Spark takes them as they are; kafka-python has names of its own, reads files of PEM alone and knows no JAAS.
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
_LOGIN = re.compile(
    r"""\s*(?P<module>[\w.]+)\s+(?:required|requisite|sufficient|optional)\b(?P<options>.*?);\s*""", re.DOTALL
)
_OPTION = re.compile(r"""\s*(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"';]+))""")


def kafka_python_options(options: Mapping[str, str]) -> dict[str, str | int | bool]:
    """`options` by the names and in the types of kafka-python; raises SettingsError where it has nothing like one of them.

    >>> login = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="anna" password="x y";'
    >>> kafka_python_options({"security.protocol": "SASL_SSL", "sasl.jaas.config": login, "request.timeout.ms": "5000"})
    {'security_protocol': 'SASL_SSL', 'sasl_plain_username': 'anna', 'sasl_plain_password': 'x y', 'request_timeout_ms': 5000}
    """
    chosen: dict[str, str | int | bool] = {}
    for name, value in options.items():
        if name == "sasl.jaas.config":
            chosen |= _login(value)
        elif name in _SAME_FILE:
            _require_pem(options, name)
            chosen |= dict.fromkeys(_SAME_FILE[name], value)
        elif name == "ssl.key.password":
            chosen["ssl_password"] = value
        elif name == "ssl.endpoint.identification.algorithm":
            chosen["ssl_check_hostname"] = value.strip().lower() == "https"
        elif name not in JAVA_ONLY:
            chosen[name.replace(".", "_")] = int(value) if value.isdecimal() else value
    return chosen


def _login(jaas: str) -> dict[str, str | int | bool]:
    """User and password of a line as `sasl.jaas.config` has it (Java's Configuration syntax); others log in without them."""
    login = _LOGIN.fullmatch(jaas)
    if login is None:
        raise SettingsError(
            "sasl.jaas.config in GROUNDSWELL_KAFKA_OPTIONS cannot be read. Write it as "
            'org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="...";'
        )
    if login["module"].rpartition(".")[2] not in LOGIN_MODULES:
        return {}
    told = {
        name: re.sub(r"\\(.)", r"\1", double or single or bare)
        for name, double, single, bare in _OPTION.findall(login["options"])
    }
    missing = [name for name in ("username", "password") if name not in told]
    if missing:
        raise SettingsError(
            f"sasl.jaas.config in GROUNDSWELL_KAFKA_OPTIONS has no {' and no '.join(missing)}."
        )
    return {"sasl_plain_username": told["username"], "sasl_plain_password": told["password"]}


def _require_pem(options: Mapping[str, str], name: str) -> None:
    kind = name.replace(".location", ".type")
    if options.get(kind, "JKS").upper() != "PEM":
        raise SettingsError(
            f"{name} in GROUNDSWELL_KAFKA_OPTIONS must be a file of PEM, which Java and Python both read, with {kind}=PEM beside it."
        )
