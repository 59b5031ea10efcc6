"""History from files straight into the archive, as `python -m batch import` does it."""
