"""A simulated world of posts, deterministic by seed and day, with labelled events to find."""
