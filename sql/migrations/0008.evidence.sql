-- depends: 0006.second-look
-- What stands behind alerts: posts to look at, terms that stand out, and alerts that are one event.

CREATE TABLE evidence_runs (
    alert_id    uuid        PRIMARY KEY REFERENCES anomaly_alerts ON DELETE CASCADE,
    posts       bigint      NOT NULL CHECK (posts >= 0),
    final       boolean     NOT NULL,
    post_ids    bigint[]    NOT NULL,
    runs        integer     NOT NULL DEFAULT 1,
    computed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE evidence_runs IS 'How far the evidence of each alert is: of which posts it was made, and when.';
COMMENT ON COLUMN evidence_runs.alert_id IS 'the alert';
COMMENT ON COLUMN evidence_runs.posts IS 'posts that the archive held in the windows of the alert, each once a window (posts); more than the alert has counted where some came too late';
COMMENT ON COLUMN evidence_runs.final IS 'whether it was made after the alert was over';
COMMENT ON COLUMN evidence_runs.post_ids IS 'ids of its posts; of more than 10,000 those with the smallest hashes, a sample that can be compared with others';
COMMENT ON COLUMN evidence_runs.runs IS 'how often it was made (times)';
COMMENT ON COLUMN evidence_runs.computed_at IS 'when it was made last (wall clock)';

CREATE TABLE alert_evidence (
    alert_id    uuid        NOT NULL REFERENCES anomaly_alerts ON DELETE CASCADE,
    role        text        NOT NULL CHECK (role IN ('most liked', 'typical', 'first', 'latest')),
    rank        smallint    NOT NULL CHECK (rank >= 1),
    post_id     bigint      NOT NULL,
    author_id   text,
    author_name text,
    text        text,
    likes       bigint,
    posted_at   timestamptz NOT NULL,
    link        text        NOT NULL,
    PRIMARY KEY (alert_id, role, rank)
);
CREATE INDEX alert_evidence_post ON alert_evidence (post_id);
COMMENT ON TABLE alert_evidence IS 'Posts of an alert to look at: up to three in each role; a post may have several roles.';
COMMENT ON COLUMN alert_evidence.alert_id IS 'the alert';
COMMENT ON COLUMN alert_evidence.role IS 'most liked; typical: shares most keywords with the other posts of the alert; first; latest';
COMMENT ON COLUMN alert_evidence.rank IS 'place within the role, from 1';
COMMENT ON COLUMN alert_evidence.post_id IS 'the post';
COMMENT ON COLUMN alert_evidence.author_id IS 'id of its author, as delivered';
COMMENT ON COLUMN alert_evidence.author_name IS 'name of its author (uniqueId), as delivered';
COMMENT ON COLUMN alert_evidence.text IS 'its text, as it was delivered first in the window; NUL characters dropped';
COMMENT ON COLUMN alert_evidence.likes IS 'its likes at that time (likes); null: unknown';
COMMENT ON COLUMN alert_evidence.posted_at IS 'its event time (UTC)';
COMMENT ON COLUMN alert_evidence.link IS 'address of the post; the name in it is _ where the author''s is unknown';

CREATE TABLE alert_terms (
    alert_id    uuid    NOT NULL REFERENCES anomaly_alerts ON DELETE CASCADE,
    kind        text    NOT NULL CHECK (kind IN ('word', 'hashtag', 'music', 'author')),
    term        text    NOT NULL,
    name        text,
    posts       integer NOT NULL CHECK (posts >= 1),
    share       real    NOT NULL CHECK (share BETWEEN 0 AND 1),
    usual_share real    NOT NULL CHECK (usual_share BETWEEN 0 AND 1),
    log_odds    real    NOT NULL,
    z_score     real    NOT NULL,
    PRIMARY KEY (alert_id, kind, term)
);
CREATE INDEX alert_terms_term ON alert_terms (kind, term);
COMMENT ON TABLE alert_terms IS 'What stands out in the posts of an alert against the other posts of the same windows: up to ten terms a kind, without the keyword itself.';
COMMENT ON COLUMN alert_terms.alert_id IS 'the alert';
COMMENT ON COLUMN alert_terms.kind IS 'word, hashtag (a keyword written with #), music or author';
COMMENT ON COLUMN alert_terms.term IS 'the keyword, or the id of the music or author';
COMMENT ON COLUMN alert_terms.name IS 'name of the music or author (uniqueId); null for words and hashtags';
COMMENT ON COLUMN alert_terms.posts IS 'posts of the alert with it (posts)';
COMMENT ON COLUMN alert_terms.share IS 'part of the alert''s posts that have it (0 to 1)';
COMMENT ON COLUMN alert_terms.usual_share IS 'part of the other posts of the same windows that have it (0 to 1)';
COMMENT ON COLUMN alert_terms.log_odds IS 'log-odds ratio between both, with an informative Dirichlet prior of 500 posts (natural logarithm)';
COMMENT ON COLUMN alert_terms.z_score IS 'log_odds in standard errors; 1.96 and more is told';

CREATE TABLE incidents (
    incident_id   uuid        PRIMARY KEY,
    keyword       text        NOT NULL,
    status        text        NOT NULL CHECK (status IN ('open', 'resolved')),
    opened_window timestamptz NOT NULL,
    last_window   timestamptz NOT NULL CHECK (last_window >= opened_window),
    posts         bigint      NOT NULL CHECK (posts >= 0),
    members       integer     NOT NULL CHECK (members >= 1),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX incidents_recent ON incidents (opened_window DESC);
COMMENT ON TABLE incidents IS 'One row an event: alerts that share at least half of the posts of the smaller one and overlap in time, directly or through others. Every alert with evidence that was not withdrawn belongs to one.';
COMMENT ON COLUMN incidents.incident_id IS 'made from the alert that opened first (of several the first in the alphabet), so it stays while words join later';
COMMENT ON COLUMN incidents.keyword IS 'headline: the keyword with the most posts; where they are equal the higher strength, then the shorter word, then the first in the alphabet';
COMMENT ON COLUMN incidents.status IS 'open while a member is open, else resolved';
COMMENT ON COLUMN incidents.opened_window IS 'start of the first window of its members (event time, UTC)';
COMMENT ON COLUMN incidents.last_window IS 'start of the last unusual window of its members (event time, UTC)';
COMMENT ON COLUMN incidents.posts IS 'distinct posts over its members (posts); estimated where a member has more than 10,000';
COMMENT ON COLUMN incidents.members IS 'alerts that belong to it (alerts)';
COMMENT ON COLUMN incidents.updated_at IS 'when the row was last written (wall clock)';

CREATE TABLE incident_members (
    incident_id uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
    alert_id    uuid NOT NULL UNIQUE REFERENCES anomaly_alerts ON DELETE CASCADE,
    overlap     real CHECK (overlap BETWEEN 0 AND 1),
    PRIMARY KEY (incident_id, alert_id)
);
COMMENT ON TABLE incident_members IS 'Which alerts are one incident.';
COMMENT ON COLUMN incident_members.incident_id IS 'the incident';
COMMENT ON COLUMN incident_members.alert_id IS 'the alert; it belongs to one incident';
COMMENT ON COLUMN incident_members.overlap IS 'largest part of its posts, or of another member''s where those are fewer, that both have (0.5 to 1); null: the only member';

CREATE VIEW recent_incidents AS
SELECT
    incidents.keyword,
    (SELECT string_agg(alerts.keyword, ', ' ORDER BY alerts.posts DESC, alerts.keyword)
     FROM incident_members AS members JOIN anomaly_alerts AS alerts USING (alert_id)
     WHERE members.incident_id = incidents.incident_id AND alerts.keyword <> incidents.keyword) AS other_keywords,
    incidents.status,
    incidents.posts,
    incidents.members,
    incidents.opened_window,
    incidents.last_window,
    (SELECT evidence.link
     FROM incident_members AS members JOIN alert_evidence AS evidence USING (alert_id)
     WHERE members.incident_id = incidents.incident_id AND evidence.role = 'typical' AND evidence.rank = 1
     ORDER BY (SELECT alerts.keyword <> incidents.keyword FROM anomaly_alerts AS alerts WHERE alerts.alert_id = members.alert_id)
     LIMIT 1)                                                                               AS typical_post,
    incidents.incident_id,
    incidents.updated_at
FROM incidents
ORDER BY incidents.opened_window DESC, incidents.posts DESC;
COMMENT ON VIEW recent_incidents IS 'Events, newest first, each with all its words.';
COMMENT ON COLUMN recent_incidents.keyword IS 'the headline word';
COMMENT ON COLUMN recent_incidents.other_keywords IS 'its other words, those with the most posts first; null: none';
COMMENT ON COLUMN recent_incidents.status IS 'open or resolved';
COMMENT ON COLUMN recent_incidents.posts IS 'distinct posts with any of its words (posts)';
COMMENT ON COLUMN recent_incidents.members IS 'alerts that belong to it (alerts)';
COMMENT ON COLUMN recent_incidents.opened_window IS 'start of its first window (event time, UTC)';
COMMENT ON COLUMN recent_incidents.last_window IS 'start of its last unusual window (event time, UTC)';
COMMENT ON COLUMN recent_incidents.typical_post IS 'link to the post that is nearest to the others with the headline word';
COMMENT ON COLUMN recent_incidents.incident_id IS 'key of incidents';
COMMENT ON COLUMN recent_incidents.updated_at IS 'when the incident was last written (wall clock)';
