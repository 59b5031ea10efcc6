"""`python -m tools.settings_example`: write settings.example.env from the settings themselves."""

from pydantic.fields import FieldInfo

from core.settings import ENV_PREFIX, Settings
from deploy.local.layout import REPOSITORY

FILE = REPOSITORY / "settings.example.env"
_HEAD = """\
# Every setting of Groundswell: those without a leading # are required, the others show their default.
# The embedded stack needs none of this: `source .local/env`. Made by `make lock`.
"""
_FOR_AIRFLOW = """
# Only dags/daily_batch.py reads the next one, in the environment of Airflow's scheduler and DAG processor.

# first day to schedule (UTC, YYYY-MM-DD): the archive's first, or the one after the last learned; empty: none
#GROUNDSWELL_AIRFLOW_START_DATE=
"""
_SHOWN = {
    "kafka_bootstrap_servers": "broker1:9092,broker2:9092",
    "postgres_host": "db.example.com",
    "postgres_password": "",
    "s3_bucket": "my-bucket",
}


def example() -> str:
    """Return the text of settings.example.env: one line per setting, commented out if it has a default."""
    settings = "".join(
        f"\n# {field.description}\n{_line(name, field)}\n" for name, field in Settings.model_fields.items()
    )
    return _HEAD + settings + _FOR_AIRFLOW


def _line(name: str, field: FieldInfo) -> str:
    variable = ENV_PREFIX + name.upper()
    if field.is_required():
        return f"{variable}={_SHOWN.get(name, '')}"
    default = "" if field.default is None else "{}" if field.default == {} else field.default
    return f"#{variable}={default}"


if __name__ == "__main__":
    FILE.write_text(example())
