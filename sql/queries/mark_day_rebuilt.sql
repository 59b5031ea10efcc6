-- Record in the ledger that the alerts of a day were rebuilt from the archive.
INSERT INTO batch_days (day, alerts_rebuilt_at)
VALUES (%(day)s, now())
ON CONFLICT (day) DO UPDATE SET alerts_rebuilt_at = excluded.alerts_rebuilt_at
