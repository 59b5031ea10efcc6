"""From the archive to tables: what was posted, by whom, and what is usual, one day at a time."""
