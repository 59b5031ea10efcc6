"""The example file names every setting, with its default, and none that does not exist."""

import re

from core.settings import Settings
from tools.settings_example import FILE, example


def test_the_example_file_is_what_the_settings_say() -> None:
    assert FILE.read_text() == example(), "run `python -m tools.settings_example`"


def test_every_setting_is_in_the_example_file_once_and_that_of_the_dag() -> None:
    names = re.findall(r"^#?GROUNDSWELL_([A-Z0-9_]+)=", FILE.read_text(), re.MULTILINE)
    assert sorted(names) == sorted([*(name.upper() for name in Settings.model_fields), "AIRFLOW_START_DATE"])


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
