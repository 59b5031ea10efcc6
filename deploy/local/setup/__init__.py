"""Set-up: the virtual environment and the Java archives, with the standard library alone."""
