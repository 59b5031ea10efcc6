"""The page: what takes off now, why, how sure that is, and who is behind it; reads Postgres only."""
