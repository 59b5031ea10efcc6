"""A simulated world of posts, deterministic by seed and by day, with labelled events to find in it."""
