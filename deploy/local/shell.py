"""The stack's settings as environment variables: for child processes, and as `.local/env` for shells."""

import json
import os
import shlex
import sys
from pathlib import Path
from urllib.parse import quote

from core.settings import ENV_PREFIX, Settings
from deploy.local.layout import LOOPBACK, REPOSITORY, Layout, State, write_private
from deploy.local.servers.postgres import installation


def settings_variables(settings: Settings) -> dict[str, str]:
    """Return the settings that differ from their defaults, by environment variable; secrets in clear text."""
    values = settings.model_dump(mode="json", exclude_unset=True)
    secrets = {
        "postgres_password": settings.postgres_password,
        "s3_secret_access_key": settings.s3_secret_access_key,
    }
    values |= {name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None}
    return {
        ENV_PREFIX + name.upper(): json.dumps(value) if isinstance(value, dict | list) else str(value)
        for name, value in values.items()
        if value not in (None, {}, [])
    }


def client_variables(settings: Settings) -> dict[str, str]:
    """Return the variables that psql and AWS's tools read."""
    secret = settings.s3_secret_access_key
    return {
        "PGHOST": settings.postgres_host,
        "PGPORT": str(settings.postgres_port),
        "PGUSER": settings.postgres_user,
        "PGPASSWORD": settings.postgres_password.get_secret_value(),
        "PGDATABASE": settings.postgres_database,
        **{f"PG{name.upper()}": value for name, value in settings.postgres_tls_arguments().items()},
        "AWS_ACCESS_KEY_ID": settings.s3_access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
        "AWS_REGION": settings.s3_region,
        "AWS_DEFAULT_REGION": settings.s3_region,
        "AWS_ENDPOINT_URL_S3": settings.s3_endpoint or "",
    }


def airflow_variables(layout: Layout, state: State, settings: Settings) -> dict[str, str]:
    """Return Airflow's variables: own database, loopback only, few processes, one user, a random password."""
    password = quote(settings.postgres_password.get_secret_value(), safe="")
    port = state.ports["airflow"]
    server = f"{settings.postgres_host}:{settings.postgres_port}"
    database = f"postgresql+psycopg2://{settings.postgres_user}:{password}@{server}/airflow"
    return {
        "AIRFLOW_HOME": str(layout.airflow),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(layout.airflow / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{LOOPBACK}:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": state.airflow_secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": state.airflow_secret,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(layout.airflow / "logs"),
    }


def stack_variables(layout: Layout, state: State, settings: Settings) -> dict[str, str]:
    """Return everything that a child process or a shell needs to work with the stack, except PATH."""
    return (
        settings_variables(settings) | client_variables(settings) | airflow_variables(layout, state, settings)
    )


def search_path() -> list[Path]:
    """Return the folders of the stack's programs: psql, and those of the virtual environment."""
    return [Path(sys.executable).parent, installation() / "bin"]


def child_environment(layout: Layout, state: State, settings: Settings) -> dict[str, str]:
    """Return this process's environment with the stack's variables, PATH and PYTHONPATH."""
    path = os.pathsep.join([*map(str, search_path()), os.environ.get("PATH", "")])
    return {
        **os.environ,
        **stack_variables(layout, state, settings),
        "PATH": path,
        "PYTHONPATH": str(REPOSITORY),
    }


def write_env(layout: Layout, state: State, settings: Settings) -> None:
    """Write `.local/env`; once sourced, psql, AWS's tools, Airflow and `groundswell` find the stack."""
    lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in stack_variables(layout, state, settings).items()
    ]
    folders = ":".join(shlex.quote(str(folder)) for folder in search_path())
    lines.append(f'export PATH={folders}:"$PATH"')
    write_private(layout.env_file, "# Made by `make up`; source it.\n" + "\n".join(lines) + "\n")
