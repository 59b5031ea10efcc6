"""The exceptions that Groundswell raises on purpose; every message says what to do next.

GroundswellError
|-- SettingsError          a setting is missing or wrong: names the environment variable
|-- BadInputError          a file, an argument or a row that cannot be used: names the place
|-- NotReadyError          something that must come first has not happened yet (a day, a server, a table)
|   `-- CheckpointError    the checkpoint of a query is not that of these tables or of this version: names the folder
|-- QualityError           a day's tables are not what the archive says: names the day and the checks
`-- AlreadyRunningError    another process holds what this one needs
"""


class GroundswellError(Exception):
    """Base of all errors that a command reports as one sentence, without a traceback."""


class SettingsError(GroundswellError):
    """A setting is missing or wrong."""


class BadInputError(GroundswellError):
    """Input that cannot be used."""


class NotReadyError(GroundswellError):
    """A step was asked for before what it builds on was there."""


class CheckpointError(NotReadyError):
    """A checkpoint from which a query cannot go on, however often it is started."""


class QualityError(GroundswellError):
    """A day did not pass a check on which others build."""


class AlreadyRunningError(GroundswellError):
    """Another process holds the checkpoint, the port or the lock."""
