-- Delete a query's batches numbered below %(before)s from detection's ledger.
DELETE FROM detect_batches
WHERE query_id = %(query_id)s AND batch_id < %(before)s
