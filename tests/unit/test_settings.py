"""Laws of the environment: what a variable means that is set, empty, required, or has an old name."""

import pytest

from core.errors import SettingsError
from core.settings import RENAMED_SETTINGS, Settings, read_settings
from tests.factories import settings_without_servers


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("GROUNDSWELL_" + "FLOOR", "GROUNDSWELL_MIN_POSTS"),
        ("GROUNDSWELL_OPERATOR_SILENCE_SECONDS", "GROUNDSWELL_OPERATOR_STALLED_SECONDS"),
        ("groundswell_operator_silence_seconds", "GROUNDSWELL_OPERATOR_STALLED_SECONDS"),
    ],
)
def test_a_variable_with_an_old_name_is_an_error_that_gives_the_new_one(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.setenv(old, "20")
    with pytest.raises(SettingsError, match=rf"{old.upper()} is now {new}\b.*Rename"):
        read_settings(**settings_without_servers().model_dump())


def test_new_names_are_settings_and_old_names_are_not() -> None:
    fields = {name.upper() for name in Settings.model_fields}
    assert set(RENAMED_SETTINGS.values()) <= fields
    assert not fields & set(RENAMED_SETTINGS)


def test_a_new_name_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_MIN_POSTS", "20")
    required = settings_without_servers().model_dump(exclude={"min_posts"})
    assert read_settings(**required).min_posts == 20


def set_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set the required variables and `variables`, by name without prefix, and unset all others."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GROUNDSWELL_{name.upper()}", raising=False)
    required = {
        "KAFKA_BOOTSTRAP_SERVERS": "k:1",
        "POSTGRES_HOST": "p",
        "POSTGRES_PASSWORD": "x",
        "S3_BUCKET": "b",
    }
    for name, value in {**required, **variables}.items():
        monkeypatch.setenv(f"GROUNDSWELL_{name}", value)


def test_an_empty_variable_is_as_if_it_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch)
    unset = read_settings()
    optional = [name for name, field in Settings.model_fields.items() if not field.is_required()]
    set_environment(monkeypatch, **{name.upper(): "" for name in optional})
    assert read_settings() == unset
    assert len(optional) > 30


@pytest.mark.parametrize(
    "name", [name for name, field in Settings.model_fields.items() if field.is_required()]
)
def test_an_empty_required_variable_is_missing_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    set_environment(monkeypatch, **{name.upper(): ""})
    with pytest.raises(
        SettingsError, match=rf"are missing or wrong: GROUNDSWELL_{name.upper()}: Field required\."
    ):
        read_settings()


def test_an_empty_variable_with_an_old_name_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, **{"FLO" + "OR": ""})
    assert read_settings().min_posts == 10


def test_spark_submit_chooses_the_master_unless_a_variable_does(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, SPARK_MASTER="")
    assert read_settings().spark_master == "local[2]"
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "40001")
    assert read_settings().spark_master is None
    monkeypatch.setenv("GROUNDSWELL_SPARK_MASTER", "local[4]")
    assert read_settings().spark_master == "local[4]"
