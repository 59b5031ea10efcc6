-- depends: 0002.alerts
-- Files whose lines went straight into the archive.

CREATE TABLE archive_imports (
    file_number bigint      PRIMARY KEY CHECK (file_number > 0),
    sha256      text        NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    partition   integer     NOT NULL UNIQUE CHECK (partition < 0),
    file        text        NOT NULL,
    bytes       bigint      NOT NULL CHECK (bytes >= 0),
    lines       bigint      NOT NULL DEFAULT 0 CHECK (lines >= 0),
    posts       bigint      NOT NULL DEFAULT 0 CHECK (posts >= 0),
    rejected    bigint      NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    finished    boolean     NOT NULL DEFAULT false,
    started_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE archive_imports IS 'Files that python -m batch import brought into the archive without Kafka. A line is the row (partition, (file_number << 32) + line - 2^62) there, so an offset below every one of Kafka.';
COMMENT ON COLUMN archive_imports.file_number IS 'order of import: of two deliveries of a post at one event time the one of the higher number counts as newer';
COMMENT ON COLUMN archive_imports.sha256 IS 'of the uncompressed content: the same content under another name or compression is not imported again';
COMMENT ON COLUMN archive_imports.partition IS 'partition of its rows in the archive, from the sha256; Kafka has none below 0';
COMMENT ON COLUMN archive_imports.file IS 'name under which it was imported first';
COMMENT ON COLUMN archive_imports.bytes IS 'length of the uncompressed content (bytes)';
COMMENT ON COLUMN archive_imports.lines IS 'lines up to the last one that is in the archive (lines)';
COMMENT ON COLUMN archive_imports.posts IS 'rows of the posts topic that it has in the archive (records)';
COMMENT ON COLUMN archive_imports.rejected IS 'rows of the rejected topic that it has in the archive (records)';
COMMENT ON COLUMN archive_imports.finished IS 'whether the whole file is in the archive';
COMMENT ON COLUMN archive_imports.started_at IS 'when its import began (wall clock)';
COMMENT ON COLUMN archive_imports.updated_at IS 'when the row was last written (wall clock)';
