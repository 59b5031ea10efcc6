-- Partitions of keyword_statistics, oldest first, with the day of each.
SELECT relation.oid::regclass::text AS partition_name,
       substring(pg_get_expr(relation.relpartbound, relation.oid) FROM '\d{4}-\d{2}-\d{2}')::date AS as_of
FROM pg_inherits
JOIN pg_class AS relation ON relation.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = 'keyword_statistics'::regclass
ORDER BY as_of
