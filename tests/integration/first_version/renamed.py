"""What the first version called things that have other names now."""

TABLES_RENAMED = {"vetoed_windows": "suppressed_windows", "silence_alerts": "drop_alerts"}
COLUMNS_RENAMED = {"burst": "dispersion", "spread60": "hourly_spread", "silence": "drops"}
OLDEST_MISSING_MIGRATION = "0006.second-look"
"""The first migration that the first version does not have."""
