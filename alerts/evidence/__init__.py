"""The posts and terms behind an alert: gathered from the archive, stored in Postgres."""
