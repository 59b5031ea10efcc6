-- Days of which posts were loaded or learned.
SELECT day
FROM batch_days
WHERE loaded_posts > 0 OR counted_posts > 0
