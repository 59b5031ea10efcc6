-- depends: 0020.quality
-- What the person who runs the pipeline has to know.

CREATE TABLE operator_alerts (
    kind         text             NOT NULL CHECK (kind IN (
        'query restarted', 'query stopped', 'lag', 'rejected share', 'disk nearly full', 'statistics stale'
    )),
    subject      text             NOT NULL CHECK (subject <> ''),
    opened_at    timestamptz      NOT NULL DEFAULT now(),
    last_seen_at timestamptz      NOT NULL DEFAULT now() CHECK (last_seen_at >= opened_at),
    resolved_at  timestamptz      CHECK (resolved_at >= opened_at),
    value        double precision NOT NULL,
    "limit"      double precision NOT NULL,
    message      text             NOT NULL CHECK (message <> ''),
    PRIMARY KEY (kind, subject, opened_at)
);
CREATE UNIQUE INDEX operator_alerts_open ON operator_alerts (kind, subject) WHERE resolved_at IS NULL;
COMMENT ON TABLE operator_alerts IS 'What the operator has to know, one row an event; docs/operations.md says of each kind what to do. That the stream is silent is no row, because the stream writes them: status and metrics say it.';
COMMENT ON COLUMN operator_alerts.kind IS 'query restarted, query stopped, lag, rejected share, disk nearly full or statistics stale';
COMMENT ON COLUMN operator_alerts.subject IS 'what it is about: a query, a topic, a folder, or batch';
COMMENT ON COLUMN operator_alerts.opened_at IS 'when the limit was first seen to be reached (wall clock)';
COMMENT ON COLUMN operator_alerts.last_seen_at IS 'when it was last seen to go on (wall clock)';
COMMENT ON COLUMN operator_alerts.resolved_at IS 'when it was seen to be over (wall clock); null while it is open';
COMMENT ON COLUMN operator_alerts.value IS 'what was seen last (restarts in 15 minutes, 1 for stopped, records, a share of 0 to 1, or days, as the kind says)';
COMMENT ON COLUMN operator_alerts."limit" IS 'from which value on it opens (the same unit)';
COMMENT ON COLUMN operator_alerts.message IS 'what it is and what to do, in a sentence';

-- The share of the last hour is looked at twice a minute.
CREATE INDEX rejected_records_kafka_time ON rejected_records (kafka_time);
