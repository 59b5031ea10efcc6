"""What make run shows: a simulated day, or posts of one's own, from the replay to the alerts."""
