"""Commands for those who develop Groundswell: lock files, the example of settings, known vulnerabilities."""
