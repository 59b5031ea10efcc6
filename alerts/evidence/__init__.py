"""Evidence: the posts and terms behind an alert, gathered from the archive and stored in Postgres."""
