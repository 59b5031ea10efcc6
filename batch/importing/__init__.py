"""Import history from files straight into the archive, as `groundswell import` does."""
