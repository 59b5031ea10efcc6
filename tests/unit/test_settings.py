"""Laws of renamed settings: the old name of a variable is an error that gives the new one."""

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
