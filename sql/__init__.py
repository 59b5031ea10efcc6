"""The Postgres side: numbered migrations, named queries and connections, for stream and batch."""
