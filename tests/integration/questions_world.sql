-- A small world for the questions of docs/questions.md: three authors, six posts, two learned days, four alerts.
INSERT INTO authors (author_id, unique_id, follower_count, first_seen, last_seen, kafka_partition, kafka_offset, collected_at) VALUES
    (1, 'ana', 1000, '2026-01-05 10:01Z', '2026-01-05 10:01Z', 0, 1, '2026-01-05 10:01Z'),
    (2, 'ben', NULL, '2026-01-05 10:05Z', '2026-01-05 10:06Z', 0, 3, '2026-01-05 10:06Z'),
    (3, 'cho', 50, '2026-01-06 09:00Z', '2026-01-06 09:30Z', 0, 5, '2026-01-06 09:30Z');
INSERT INTO music (music_id, name, author_name, first_seen, last_seen, kafka_partition, kafka_offset, collected_at) VALUES
    (11, 'Song A', 'Band', '2026-01-05 10:01Z', '2026-01-06 09:30Z', 0, 5, '2026-01-06 09:30Z'),
    (12, 'original sound - ben', 'ben', '2026-01-05 10:06Z', '2026-01-06 09:45Z', 0, 6, '2026-01-06 09:45Z'),
    (13, 'another sound - ben', 'ben', '2026-01-05 10:06Z', '2026-01-06 09:45Z', 0, 6, '2026-01-06 09:45Z');
INSERT INTO challenges (challenge_id, name, is_commerce, first_seen, last_seen, kafka_partition, kafka_offset, collected_at) VALUES
    (21, 'winter', false, '2026-01-05 10:01Z', '2026-01-05 10:05Z', 0, 2, '2026-01-05 10:05Z'),
    (22, 'ad', true, '2026-01-06 09:30Z', '2026-01-06 09:30Z', 0, 5, '2026-01-06 09:30Z');
INSERT INTO posts (post_id, text, author_id, music_id, duet_of_post_id, like_count, play_count, first_seen, last_seen, kafka_partition, kafka_offset, collected_at) VALUES
    (101, 'first snow #winter', 1, 11, NULL, 100, 1000, '2026-01-05 10:01Z', '2026-01-05 10:01Z', 0, 1, '2026-01-05 10:01Z'),
    (102, 'Snow again', 2, 11, NULL, 50, NULL, '2026-01-05 10:05Z', '2026-01-05 10:05Z', 0, 2, '2026-01-05 10:05Z'),
    (103, 'snowed in', 2, 12, 101, 10, 100, '2026-01-05 10:06Z', '2026-01-05 10:06Z', 0, 3, '2026-01-05 10:06Z'),
    (104, 'cats', 3, 12, NULL, 440, 900, '2026-01-06 09:00Z', '2026-01-06 09:00Z', 0, 4, '2026-01-06 09:00Z'),
    (105, 'more cats #ad', 3, 11, 101, NULL, 10, '2026-01-06 09:30Z', '2026-01-06 09:30Z', 0, 5, '2026-01-06 09:30Z'),
    (106, 'cats, too', 1, 12, NULL, 0, 0, '2026-01-06 09:45Z', '2026-01-06 09:45Z', 0, 6, '2026-01-06 09:45Z');
INSERT INTO post_challenges (post_id, challenge_id, first_seen, last_seen, collected_at) VALUES
    (101, 21, '2026-01-05 10:01Z', '2026-01-05 10:01Z', '2026-01-05 10:01Z'),
    (102, 21, '2026-01-05 10:05Z', '2026-01-05 10:05Z', '2026-01-05 10:05Z'),
    (105, 22, '2026-01-06 09:30Z', '2026-01-06 09:30Z', '2026-01-06 09:30Z');

UPDATE posts SET created_at = first_seen;

CREATE TABLE post_stats_20260105 PARTITION OF post_stats FOR VALUES IN ('2026-01-05');
CREATE TABLE post_stats_20260106 PARTITION OF post_stats FOR VALUES IN ('2026-01-06');
INSERT INTO post_stats (day, post_id, seen_at, play_count, like_count, author_id, music_id, challenge_ids) VALUES
    ('2026-01-05', 101, '2026-01-05 10:01Z', 500, 60, 1, 11, '{21}'),
    ('2026-01-05', 102, '2026-01-05 10:05Z', NULL, 50, 2, 11, '{21}'),
    ('2026-01-05', 103, '2026-01-05 10:06Z', 100, 10, 2, 12, '{}'),
    ('2026-01-06', 104, '2026-01-06 09:00Z', 900, 440, 3, 12, '{}'),
    ('2026-01-06', 105, '2026-01-06 09:30Z', 10, NULL, 3, 11, '{22}'),
    ('2026-01-06', 106, '2026-01-06 09:45Z', 0, 0, 1, 12, '{}'),
    ('2026-01-06', 101, '2026-01-06 10:02Z', 1000, 100, 1, 11, '{21}'),
    ('2026-01-06', 102, '2026-01-06 10:16Z', NULL, 50, 2, 11, '{21}'),
    ('2026-01-06', 103, '2026-01-06 10:20Z', 100, 10, 2, 12, '{}');
CREATE TABLE author_stats_20260105 PARTITION OF author_stats FOR VALUES IN ('2026-01-05');
CREATE TABLE author_stats_20260106 PARTITION OF author_stats FOR VALUES IN ('2026-01-06');
INSERT INTO author_stats (post_day, author_id, seen_at, follower_count) VALUES
    ('2026-01-05', 1, '2026-01-05 10:01Z', 900),
    ('2026-01-06', 1, '2026-01-06 09:45Z', 950),
    ('2026-01-06', 1, '2026-01-06 10:02Z', 1000),
    ('2026-01-06', 3, '2026-01-06 09:00Z', 50);
INSERT INTO hashtags (hashtag, hashtag_id, first_post_id, first_seen, last_seen) VALUES
    ('winter', 21, 101, '2026-01-05 10:01Z', '2026-01-06 10:02Z'),
    ('ad', NULL, 105, '2026-01-06 09:30Z', '2026-01-06 09:30Z');
CREATE TABLE post_keywords_20260105 PARTITION OF post_keywords FOR VALUES IN ('2026-01-05');
CREATE TABLE post_keywords_20260106 PARTITION OF post_keywords FOR VALUES IN ('2026-01-06');
INSERT INTO post_keywords (day, post_id, keyword) VALUES
    ('2026-01-05', 101, 'snow'), ('2026-01-05', 102, 'snow'), ('2026-01-05', 103, 'snowed'), ('2026-01-05', 101, 'winter'),
    ('2026-01-06', 105, 'ad'), ('2026-01-06', 104, 'cats'), ('2026-01-06', 105, 'cats'), ('2026-01-06', 106, 'cats'),
    ('2026-01-06', 101, 'snow'), ('2026-01-06', 102, 'snow'), ('2026-01-06', 103, 'snowed'), ('2026-01-06', 101, 'winter');
INSERT INTO daily_trends (day, kind, key, rank, posts, authors, posts_day_ago, posts_week_ago, growth_1h, growth_1d, growth_7d)
SELECT day::date, kind, key, rank, posts, 1, day_ago, week_ago, 0, growth(posts, day_ago), growth(posts, week_ago)
FROM (VALUES
    ('2026-01-05', 'challenge', '21', 1, 10, NULL::bigint, NULL::bigint),
    ('2026-01-06', 'challenge', '21', 1, 5, 10, 0),
    ('2026-01-06', 'challenge', '22', 2, 4, 0, NULL),
    ('2026-01-06', 'music', '12', 1, 20, 10, NULL),
    ('2026-01-06', 'music', '13', 2, 10, 0, NULL),
    ('2026-01-06', 'music', '11', 3, 3, 3, NULL),
    ('2026-01-06', 'keyword', 'cats', 1, 3, 0, NULL),
    ('2026-01-06', 'keyword', 'snow', 2, 2, 2, NULL),
    ('2026-01-06', 'keyword', 'ad', 3, 1, 0, NULL),
    ('2026-01-06', 'keyword', 'winter', 4, 1, 1, NULL)
) AS trends (day, kind, key, rank, posts, day_ago, week_ago);

CREATE TABLE keyword_statistics_20260104 PARTITION OF keyword_statistics FOR VALUES IN ('2026-01-04');
CREATE TABLE keyword_statistics_20260105 PARTITION OF keyword_statistics FOR VALUES IN ('2026-01-05');
-- typical posts are level^2/4 - 3/8: 1 at 2.3452079, 3 at 3.6742346, 4 at 4.1833001
INSERT INTO keyword_statistics (as_of, keyword, level, hour_deviation, variance, dispersion, hourly_spread, last_seen) VALUES
    ('2026-01-04', 'snow', 2.3452079, NULL, 1, 1, 1, '2026-01-04'),
    ('2026-01-04', 'cats', 4.1833001, array_fill(0::real, ARRAY[24]), 1, 1, 1, '2026-01-04'),
    ('2026-01-05', 'snow', 3.6742346, NULL, 0.75, 4, 1, '2026-01-05'),
    ('2026-01-05', 'cats', 4.1833001, array_cat(array_fill(0::real, ARRAY[18]), array_cat(ARRAY[1::real], array_fill(-0.5::real, ARRAY[5]))), 1, 1, 1, '2026-01-04');
INSERT INTO traffic_statistics (as_of, hour, expected_posts, history_days, keyword_rule)
SELECT as_of, hour, CASE hour WHEN 10 THEN 200 ELSE 100 END, 2, 'keywords-2'
FROM unnest(ARRAY['2026-01-04', '2026-01-05']::date[]) AS as_of, generate_series(0, 23) AS hour;
INSERT INTO traffic_windows (window_start, posts) VALUES
    ('2026-01-06 09:45Z', 110),
    ('2026-01-06 10:00Z', 260),
    ('2026-01-06 10:15Z', 40);

INSERT INTO anomaly_alerts (
    alert_id, keyword, status, provisional, opened_window, last_window, resolved_at, first_post_at, posts, expected, score, peak_score,
    severity, distinct_authors, distinct_texts, first_post_id, latest_post_id, top_post_id, statistics_as_of, rule_version, threshold_ratio,
    opened_by, degraded
) VALUES
    ('00000000-0000-0000-0000-000000000001', 'snow', 'open', false, '2026-01-06 10:00Z', '2026-01-06 10:15Z', NULL, '2026-01-06 10:01Z',
     60, 4, 14.2, 14.2, 'strong', 2, 3, 101, 102, 101, '2026-01-05', 'keywords-2 score-3', 2.4, 'window', false),
    ('00000000-0000-0000-0000-000000000002', 'cats', 'resolved', false, '2026-01-05 12:00Z', '2026-01-05 12:30Z', '2026-01-05 13:45Z',
     '2026-01-05 12:02Z', 200, 20, 1.1, 26, 'extreme', 160, 150, 104, 105, 104, '2026-01-04', 'keywords-2 score-3', 4.3, 'window', false),
    ('00000000-0000-0000-0000-000000000003', 'spam', 'withdrawn', false, '2026-01-05 20:00Z', '2026-01-05 20:00Z', '2026-01-05 20:15Z',
     '2026-01-05 20:03Z', 12, 3, 2.4, 6.2, 'notable', 1, 1, 103, 103, 103, '2026-01-04', 'keywords-2 score-3', 1.03, 'window', false),
    ('00000000-0000-0000-0000-000000000004', 'old', 'resolved', false, '2025-12-24 20:00Z', '2025-12-24 20:00Z', '2025-12-24 21:15Z',
     '2025-12-24 20:03Z', 90, 3, 2.4, 30, 'extreme', 80, 80, 103, 103, 103, NULL, 'keywords-2 score-3', 5, 'window', false);
INSERT INTO alert_windows (
    alert_id, window_start, posts, total_posts, ratio, expected, scale, score, statistics_as_of, closed, authors_bitmap, texts_bitmap,
    first_post_at, first_post_id, latest_post_id, top_post_id, top_likes, hourly_posts, hourly_expected, hourly_spread, hourly_score, hourly_authors_bitmap,
    threshold, threshold_ratio
) VALUES
    ('00000000-0000-0000-0000-000000000001', '2026-01-06 10:00Z', 20, 260, 1.3, 3.9, 1.1, 5.8, '2026-01-05', true, 3, 7,
     '2026-01-06 10:01Z', 101, 102, 101, 100, 20, 3.9, 1, 5.8, 3, 6, 0.97),
    ('00000000-0000-0000-0000-000000000001', '2026-01-06 10:15Z', 40, 40, 0.2, 0.6, 1.1, 14.2, '2026-01-05', false, 3, 7,
     '2026-01-06 10:15Z', 101, 102, 101, 100, 60, 4.5, 1, 10.5, 3, 6, 2.4);
INSERT INTO rejected_records (topic, partition, "offset", kafka_time, reason, record_head) VALUES
    ('tiktok.posts', 0, 7, '2026-01-06 10:00Z', 'time_stamp is missing', '{}'),
    ('tiktok.posts', 1, 3, '2026-01-06 09:00Z', 'time_stamp is missing', '{}'),
    ('tiktok.posts', 0, 9, '2026-01-06 11:00Z', 'the value is not a JSON object', 'x');
INSERT INTO batch_days (day, loaded_at, loaded_posts, status, fitted_at, counted_posts, keywords) VALUES
    ('2026-01-05', now(), 3, 'fitted', now(), 3, 2),
    ('2026-01-06', now(), 3, NULL, NULL, NULL, NULL);
