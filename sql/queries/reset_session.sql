-- Resets what a use of a pooled connection may have left in its session: settings, temporary tables, advisory locks.
-- Not DISCARD ALL: by the SQL standard, the SET SESSION AUTHORIZATION in it would end a role from ALTER ROLE ... SET role.
RESET ALL;
-- psycopg2 parses dates in this style and sets it only when it connects.
SET datestyle = 'ISO';
DISCARD TEMP;
SELECT pg_advisory_unlock_all();
