"""From the archive to tables, one day at a time: what was posted, by whom, and what is normal."""
