-- depends: 0030.operator-alerts
-- Roles that may do what they need and no more: groundswell_pipeline for the programs, groundswell_analyst for people who ask.

CREATE SCHEMA IF NOT EXISTS staging;
COMMENT ON SCHEMA staging IS 'Tables that the daily batch makes, fills and drops; nothing stays here.';

CREATE FUNCTION grant_to_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ledger regclass;
BEGIN
    -- Of a role that this one made it may be a member, and has to be to say what is granted on tables that the pipeline makes.
    IF NOT pg_has_role('groundswell_pipeline', 'USAGE') THEN
        GRANT groundswell_pipeline TO CURRENT_USER;
    END IF;
    -- Before Postgres 15 everybody may make tables in public.
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO groundswell_analyst, groundswell_pipeline;
    -- Where the batch makes the partition of a day, and where it takes its place.
    GRANT USAGE, CREATE ON SCHEMA staging TO groundswell_pipeline;
    GRANT CREATE ON SCHEMA public TO groundswell_pipeline;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO groundswell_analyst;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO groundswell_pipeline;
    FOR ledger IN
        SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname ~ '^_?yoyo'
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM groundswell_pipeline', ledger);
    END LOOP;
    -- Tables made later: in every schema, because a partition is made in staging before it moves to public.
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO groundswell_analyst;
    ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO groundswell_pipeline;
    ALTER DEFAULT PRIVILEGES FOR ROLE groundswell_pipeline GRANT SELECT ON TABLES TO groundswell_analyst;
END
$$;
REVOKE ALL ON FUNCTION grant_to_roles() FROM PUBLIC;
COMMENT ON FUNCTION grant_to_roles() IS 'Grants both roles what they need; for the owner of the tables, to be run again where the roles were made after the migration.';

CREATE FUNCTION give_partitions_to_pipeline() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    owned regclass;
BEGIN
    FOR owned IN
        SELECT oid::regclass
        FROM pg_class
        WHERE relkind IN ('r', 'p')
          AND (relnamespace = 'staging'::regnamespace
               OR relnamespace = 'public'::regnamespace AND (relkind = 'p' OR relispartition))
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO groundswell_pipeline', owned);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION give_partitions_to_pipeline() FROM PUBLIC;
COMMENT ON FUNCTION give_partitions_to_pipeline() IS 'Makes groundswell_pipeline the owner of the tables that are partitioned by day: only an owner may attach and drop partitions.';

-- Roles belong to the server, so another database may make them at this moment, or somebody else may have to make them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['groundswell_analyst', 'groundswell_pipeline'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    PERFORM grant_to_roles();
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'The roles groundswell_analyst and groundswell_pipeline were not made or granted anything (%): see docs/security.md.', SQLERRM;
END
$$;
