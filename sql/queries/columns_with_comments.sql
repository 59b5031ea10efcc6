-- Every column of the tables and views in the schema public, with comments; partitions and the migrations' own tables left out.
SELECT
    relations.relname,
    CASE WHEN relations.relkind = 'v' THEN 'view' ELSE 'table' END,
    obj_description(relations.oid, 'pg_class'),
    attributes.attname,
    format_type(attributes.atttypid, attributes.atttypmod),
    NOT attributes.attnotnull,
    col_description(relations.oid, attributes.attnum)
FROM pg_class AS relations
JOIN pg_attribute AS attributes ON attributes.attrelid = relations.oid
WHERE relations.relnamespace = 'public'::regnamespace
  AND relations.relkind IN ('r', 'p', 'v')
  AND NOT relations.relispartition
  AND relations.relname !~ '^_?yoyo'
  AND attributes.attnum > 0
  AND NOT attributes.attisdropped
ORDER BY relations.relname COLLATE "C", attributes.attnum
