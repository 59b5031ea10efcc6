-- depends: 0054.clock-changes
-- What changes about alerts, as it changes, for pages and messages that must miss nothing.

CREATE TABLE alert_events (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    happened_at timestamptz NOT NULL DEFAULT now(),
    kind        text NOT NULL CHECK (kind IN (
                    'opened', 'confirmed', 'stronger', 'grown', 'resolved', 'withdrawn', 'grouped', 'labelled',
                    'dropped', 'recovered')),
    keyword     text NOT NULL,
    alert_id    uuid,
    incident_id uuid
);
CREATE INDEX ON alert_events (happened_at);
COMMENT ON TABLE alert_events IS 'Changes of alerts that a user would see, written in the transaction of the change; the last 30 days. Committed ones with a transaction below pg_snapshot_xmin(pg_current_snapshot()) are complete: none of a smaller event_id can appear later.';
COMMENT ON COLUMN alert_events.event_id IS 'order of the changes';
COMMENT ON COLUMN alert_events.transaction IS 'transaction that wrote it';
COMMENT ON COLUMN alert_events.happened_at IS 'when that transaction began (wall clock)';
COMMENT ON COLUMN alert_events.kind IS 'opened; confirmed: no longer provisional; stronger: the severity rose; grown: the posts passed a power of two; resolved; withdrawn; grouped: alerts joined an incident; labelled; dropped and recovered: a drop of a watched keyword began and ended';
COMMENT ON COLUMN alert_events.keyword IS 'keyword of the alert or drop, headline of the incident';
COMMENT ON COLUMN alert_events.alert_id IS 'the alert; null for drops and incidents';
COMMENT ON COLUMN alert_events.incident_id IS 'the incident, where alerts joined one; else null';

CREATE FUNCTION add_alert_event(kind text, keyword text, alert_id uuid, incident_id uuid DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO alert_events (kind, keyword, alert_id, incident_id) VALUES (kind, keyword, alert_id, incident_id);
    SELECT pg_notify('alert_events', '');
$$;
COMMENT ON FUNCTION add_alert_event IS 'Adds a row to alert_events and wakes those who listen on the channel alert_events when the transaction commits.';

CREATE FUNCTION alert_event_of_alert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    severities constant text[] := ARRAY['notable', 'strong', 'extreme'];
    changed text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := 'opened';
    ELSIF NEW.status <> OLD.status THEN
        changed := CASE NEW.status WHEN 'open' THEN 'opened' ELSE NEW.status END;
    ELSIF OLD.provisional AND NOT NEW.provisional THEN
        changed := 'confirmed';
    ELSIF array_position(severities, NEW.severity) > array_position(severities, OLD.severity) THEN
        changed := 'stronger';
    ELSIF floor(log(2, greatest(NEW.posts, 1))) > floor(log(2, greatest(OLD.posts, 1))) THEN
        changed := 'grown';
    ELSE
        RETURN NULL;
    END IF;
    PERFORM add_alert_event(changed, NEW.keyword, NEW.alert_id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION alert_event_of_alert() IS 'Trigger: adds what changed about an alert to alert_events.';
CREATE TRIGGER alert_event AFTER INSERT OR UPDATE ON anomaly_alerts
    FOR EACH ROW EXECUTE FUNCTION alert_event_of_alert();

CREATE FUNCTION alert_event_of_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.members > 1 AND (TG_OP = 'INSERT' OR NEW.members > OLD.members) THEN
        PERFORM add_alert_event('grouped', NEW.keyword, NULL, NEW.incident_id);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION alert_event_of_incident() IS 'Trigger: adds an incident that alerts joined to alert_events.';
CREATE TRIGGER alert_event AFTER INSERT OR UPDATE ON incidents
    FOR EACH ROW EXECUTE FUNCTION alert_event_of_incident();

CREATE FUNCTION alert_event_of_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_alert_event('labelled', keyword, alert_id) FROM anomaly_alerts
    WHERE alert_id = coalesce(NEW.alert_id, OLD.alert_id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION alert_event_of_label() IS 'Trigger: adds an alert whose label was set, changed or removed to alert_events.';
CREATE TRIGGER alert_event AFTER INSERT OR UPDATE OR DELETE ON alert_labels
    FOR EACH ROW EXECUTE FUNCTION alert_event_of_label();

CREATE FUNCTION alert_event_of_drop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM add_alert_event('dropped', NEW.keyword, NULL);
    ELSIF OLD.resolved_at IS NULL AND NEW.resolved_at IS NOT NULL THEN
        PERFORM add_alert_event('recovered', NEW.keyword, NULL);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION alert_event_of_drop() IS 'Trigger: adds the begin and the end of a drop to alert_events.';
CREATE TRIGGER alert_event AFTER INSERT OR UPDATE ON drop_alerts
    FOR EACH ROW EXECUTE FUNCTION alert_event_of_drop();
