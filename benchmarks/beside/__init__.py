"""Other ways to count keywords than detection's, on the same posts as one another."""
