-- The ids of the migrations that the database has, from yoyo's own table.
SELECT migration_id FROM _yoyo_migration
