-- Primary key and indexes of a partitioned table, as the clauses that create them on another table.
SELECT pg_get_constraintdef(keys.oid) AS key_columns,
       regexp_replace(pg_get_indexdef(indexes.indexrelid), '^CREATE INDEX \S+ ON ONLY \S+ ', '') AS index_by
FROM pg_index AS indexes
LEFT JOIN pg_constraint AS keys ON keys.conindid = indexes.indexrelid AND keys.contype = 'p'
WHERE indexes.indrelid = %(table)s::regclass
ORDER BY indexes.indexrelid
