"""The sentence for a Postgres that does not answer, for the command lines."""

import psycopg2

from core.settings import Settings, read_settings
from sql.connection import postgres_away


def postgres_sentence(error: Exception, settings: Settings | None = None) -> str | None:
    """Return what to do about a lost or refused connection to Postgres, None for any other error.

    Without `settings` they are read from the environment.
    """
    # A connection that breaks inside a transaction raises InterfaceError by the time it is rolled back.
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return str(postgres_away(settings or read_settings(), error))
    return None
