"""The life of an alert in Postgres: judged, opened, resolved, explained, and grouped into incidents."""
