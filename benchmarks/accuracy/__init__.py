"""Accuracy: what the rule finds, and how rarely it alerts on nothing; `python -m benchmarks.accuracy`."""
