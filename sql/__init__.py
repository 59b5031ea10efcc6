"""The Postgres side: numbered migrations, named queries and the one way to connect, for streaming and batch."""
