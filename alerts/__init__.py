"""The life of an alert, from live counts to rows of Postgres: judged, opened, resolved, explained, grouped into incidents."""
