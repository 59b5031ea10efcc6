"""The command `groundswell` and the version of the project."""

__version__ = "2.0.0"
