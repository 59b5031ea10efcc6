-- Note in the ledger that the trends step is done for a day that was loaded.
UPDATE batch_days SET trended_at = now(), trends = %(trends)s WHERE day = %(day)s
