"""Explain an alert: describe why it alerted and check its stored figures against the archive."""
