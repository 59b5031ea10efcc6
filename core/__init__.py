"""What the stages must agree on: records, keywords, windows, score, decide, learn, settings and errors."""
