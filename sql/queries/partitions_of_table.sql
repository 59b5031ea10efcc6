-- Partitions of a table that is partitioned by day, newest first, with the day of each.
SELECT relation.oid::regclass::text AS partition_name,
       substring(pg_get_expr(relation.relpartbound, relation.oid) FROM '\d{4}-\d{2}-\d{2}')::date AS day
FROM pg_inherits
JOIN pg_class AS relation ON relation.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = %(table)s::regclass
ORDER BY day DESC
