-- URI of a table's current metadata file, in the database of Iceberg's JDBC catalog.
SELECT metadata_location
FROM iceberg_tables
WHERE catalog_name = %(catalog)s AND table_namespace = %(namespace)s AND table_name = %(table)s
