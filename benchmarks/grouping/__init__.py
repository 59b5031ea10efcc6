"""How well alerts are grouped into incidents, and what it costs."""
