"""The first day of a stream: what is found, and falsely, before any statistics were learned."""
