-- Record in the ledger that the step trends is done for a loaded day.
UPDATE batch_days SET trended_at = now(), trends = %(trends)s WHERE day = %(day)s
