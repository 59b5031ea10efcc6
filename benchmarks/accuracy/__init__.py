"""Accuracy: how well the rule finds what takes off, and how seldom it cries wolf; `python -m benchmarks.accuracy`."""
