"""The exceptions that Groundswell raises on purpose; every message says what to do next.

GroundswellError
|-- SettingsError          a setting is missing or invalid: names the environment variable
|-- BadInputError          a file, an argument or a row is unusable: names where it is
|-- NotReadyError          a prerequisite is missing (a day, a server, a table)
|   `-- CheckpointError    a query's checkpoint belongs to other tables or another version: names the folder
|-- QualityError           a day's tables disagree with the archive: names the day and the checks
`-- AlreadyRunningError    another process holds a resource that this one needs
"""


class GroundswellError(Exception):
    """Base of all errors that a command reports as one sentence, without a traceback."""


class SettingsError(GroundswellError):
    """A setting is missing or invalid."""


class BadInputError(GroundswellError):
    """Unusable input."""


class NotReadyError(GroundswellError):
    """A step was requested before its prerequisites were met."""


class CheckpointError(NotReadyError):
    """A query cannot resume from its checkpoint, however often it is restarted."""


class QualityError(GroundswellError):
    """A day failed a check that later steps rely on."""


class AlreadyRunningError(GroundswellError):
    """Another process holds the checkpoint, the port or the lock."""
