-- depends: 0032.rebuild
-- Days that a version without histories loaded count as not loaded: what stands on their histories is then unknown, and no error.

UPDATE batch_days
SET loaded_at = NULL, loaded_posts = NULL
WHERE loaded_at IS NOT NULL
  AND trended_at IS NULL
  AND to_regclass('post_stats_' || to_char(day, 'YYYYMMDD')) IS NULL;
