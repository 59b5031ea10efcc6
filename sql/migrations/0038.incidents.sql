-- depends: 0037.counted-authors
-- An incident is what is about one event: alerts that share more posts than chance, not those that share half of them.

COMMENT ON TABLE incidents IS 'One row per incident: alerts that are about one event, as far as their posts show: they overlap in time and share more posts than by chance. Every alert with evidence that was not withdrawn belongs to one.';
COMMENT ON COLUMN incident_members.overlap IS 'share of its posts that another member has, too (0 to 1; estimated where a member has more than 10,000); null: the only member';
