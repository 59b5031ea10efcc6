-- depends: 0034.words
-- What tables and columns say of themselves, in the words of docs/glossary.md; docs/tables.md is made from it.

COMMENT ON TABLE alert_evidence IS 'Posts behind an alert: up to three in each role. A post may have several roles.';
COMMENT ON COLUMN alert_evidence.author_id IS 'id of its author, as delivered';
COMMENT ON COLUMN alert_evidence.link IS 'address of the post; its author part is _ while the author''s name is unknown';

COMMENT ON TABLE alert_labels IS 'What users say an alert was. Each label has one effect when its day is learned.';
COMMENT ON COLUMN alert_labels.alert_id IS 'the alert';
COMMENT ON COLUMN alert_labels.label IS 'real, spam: its windows do not update the baseline; expected: its hours are learned at once; new normal: its height becomes the level; wrong sense: the scale widens until it would not have been an anomaly';
COMMENT ON COLUMN alert_labels.note IS 'in the user''s own words';

COMMENT ON TABLE alert_terms IS 'Terms that stand out in the posts of an alert compared with the other posts of the same windows: up to ten per kind, without the keyword itself.';
COMMENT ON COLUMN alert_terms.posts IS 'posts of the alert with the term (posts)';
COMMENT ON COLUMN alert_terms.share IS 'share of the alert''s posts with the term (0 to 1)';
COMMENT ON COLUMN alert_terms.usual_share IS 'share of the other posts of the same windows with the term (0 to 1)';
COMMENT ON COLUMN alert_terms.log_odds IS 'log-odds ratio between the two, with an informative Dirichlet prior of 500 posts (natural logarithm)';
COMMENT ON COLUMN alert_terms.z_score IS 'log_odds in standard errors; terms from 1.96 on are kept';

COMMENT ON TABLE alert_windows IS 'One row per window that keeps an alert open (threshold ratio of at least a half), with the figures it was judged by.';
COMMENT ON COLUMN alert_windows.alert_id IS 'the alert';
COMMENT ON COLUMN alert_windows.ratio IS 'total_posts / expected_posts of that hour: how full the window is (ratio)';
COMMENT ON COLUMN alert_windows.scale IS 'the keyword''s standard deviation (square-root posts)';
COMMENT ON COLUMN alert_windows.statistics_as_of IS 'as_of of the statistics it was judged by; null: there were none yet';
COMMENT ON COLUMN alert_windows.hourly_posts IS 'posts of this window and the three before it, counting only windows of three posts or more (posts)';
COMMENT ON COLUMN alert_windows.hourly_expected IS 'posts with the keyword that were expected in those four windows (posts)';
COMMENT ON COLUMN alert_windows.hourly_spread IS 'how much wider an hour''s residual is than a window''s (ratio of variances)';
COMMENT ON COLUMN alert_windows.hourly_score IS '(2*sqrt(hourly_posts + .375) - 2*sqrt(hourly_expected + .375)) / (scale * max(1, sqrt(hourly_spread)))';
COMMENT ON COLUMN alert_windows.hourly_authors_bitmap IS '64 bits, one set for each hashed author id of hourly_posts';
COMMENT ON COLUMN alert_windows.threshold IS 'score from which the window is an anomaly; the hourly threshold is 5.5 at 4.5 and 6.5 at 6, linear in between and beyond';
COMMENT ON COLUMN alert_windows.threshold_ratio IS 'how far the scores reach towards their thresholds: the larger of score/threshold and hourly_score/hourly threshold';

COMMENT ON TABLE anomaly_alerts IS 'One row per alert: a run of unusual windows of a keyword that is posted far more often than its history predicts.';
COMMENT ON COLUMN anomaly_alerts.status IS 'open: still going on; resolved: over; withdrawn: opened early and not confirmed when its first window closed';
COMMENT ON COLUMN anomaly_alerts.posts IS 'distinct posts with the keyword, summed over the windows of the alert (posts)';
COMMENT ON COLUMN anomaly_alerts.resolved_at IS 'end of the quiet windows after which it was resolved, or end of the window with which it was withdrawn (event time, UTC); null while open';
COMMENT ON COLUMN anomaly_alerts.severity IS 'notable: threshold ratio below 2; strong: below 4; extreme: above';
COMMENT ON COLUMN anomaly_alerts.distinct_authors IS 'estimated distinct authors over the alert (authors); the estimate ends at about 300';
COMMENT ON COLUMN anomaly_alerts.distinct_texts IS 'estimated distinct texts over the alert (texts); the estimate ends at about 300';
COMMENT ON COLUMN anomaly_alerts.latest_post_id IS 'id of the newest post of the alert';
COMMENT ON COLUMN anomaly_alerts.top_post_id IS 'id of the most liked post of the alert';
COMMENT ON COLUMN anomaly_alerts.statistics_as_of IS 'as_of of the statistics that the opening window was judged by; null: there were none yet';
COMMENT ON COLUMN anomaly_alerts.rule_version IS 'versions of the keyword rule and of the score that decided it, such as keywords-1 score-2';
COMMENT ON COLUMN anomaly_alerts.threshold_ratio IS 'highest threshold ratio of its windows; 1 just reaches the threshold';
COMMENT ON COLUMN anomaly_alerts.opened_by IS 'window: one window was an anomaly; hour: only the hourly window that ended with it was, a slow climb';
COMMENT ON COLUMN anomaly_alerts.origin IS 'who posted in the window of the highest score: organic; few authors: distinct authors are less than a fifth of what the excess posts would have; one text: the same for distinct texts; null: too few posts (50) or too frequent a word (100 expected) to say';
COMMENT ON COLUMN anomaly_alerts.degraded IS 'whether fewer than a quarter of the expected posts of all keywords arrived in one of its closed windows: judge with care';

COMMENT ON TABLE archive_imports IS 'Files that were imported into the archive without Kafka. A line is the archive row (partition, (file_number << 32) + line - 2^62), an offset below all of Kafka''s.';
COMMENT ON COLUMN archive_imports.file_number IS 'order of import: of two deliveries of a post at one event time, the one with the higher number counts as newer';
COMMENT ON COLUMN archive_imports.partition IS 'partition of its rows in the archive, derived from the sha256; negative, because Kafka''s partitions start at 0';
COMMENT ON COLUMN archive_imports.file IS 'name under which it was first imported';
COMMENT ON COLUMN archive_imports.posts IS 'its rows of the posts topic in the archive (records)';
COMMENT ON COLUMN archive_imports.rejected IS 'its rows of the rejected topic in the archive (records)';

COMMENT ON TABLE author_stats IS 'History of the counts of an author: the first delivery on a day that has any, and each later one with a changed count. One partition per day; GROUNDSWELL_HISTORY_KEEP_DAYS sets how many are kept.';
COMMENT ON COLUMN author_stats.seen_at IS 'event time of the delivery (time_stamp, UTC); of several at the same time, the last by Kafka offset';

COMMENT ON TABLE authors IS 'One row per author, as last delivered with one of their posts.';

COMMENT ON TABLE batch_days IS 'Ledger of the daily batch: what was done for which day.';
COMMENT ON COLUMN batch_days.loaded_at IS 'when the load step last ran (wall clock); null: never';
COMMENT ON COLUMN batch_days.loaded_posts IS 'distinct posts that the load step found in the archive for the day (posts)';
COMMENT ON COLUMN batch_days.status IS 'fitted: statistics were learned from the day; empty: the day is over and has no posts; null: the statistics step has not run';
COMMENT ON COLUMN batch_days.fitted_at IS 'when the statistics step last ran (wall clock)';
COMMENT ON COLUMN batch_days.keywords IS 'rows of the day in keyword_statistics (keywords)';
COMMENT ON COLUMN batch_days.trended_at IS 'when the trends step last ran (wall clock); null: never';
COMMENT ON COLUMN batch_days.trends IS 'rows of the day in daily_trends (trends)';
COMMENT ON COLUMN batch_days.alerts_rebuilt_at IS 'when the alerts of the day were rebuilt from the archive (wall clock); null: they are the ones detection wrote';

COMMENT ON TABLE calendar IS 'Times in which a keyword is expected to stand out: no alert of it opens then; what would have alerted is a row of suppressed_windows.';
COMMENT ON COLUMN calendar.starts_at IS 'start (event time, UTC)';
COMMENT ON COLUMN calendar.ends_at IS 'end (event time, UTC)';
COMMENT ON COLUMN calendar.note IS 'what is planned';

COMMENT ON TABLE candidate_windows IS 'Windows of the last learned days with a threshold ratio of at least a half at threshold 4.25, of keywords with an anomaly at it; thresholds for a budget are derived from them.';
COMMENT ON COLUMN candidate_windows.expected IS 'posts expected by the statistics of the day before (posts)';
COMMENT ON COLUMN candidate_windows.scale IS 'the keyword''s standard deviation (square-root posts)';
COMMENT ON COLUMN candidate_windows.hourly_posts IS 'posts of the hour that ends with the window (posts)';
COMMENT ON COLUMN candidate_windows.hourly_expected IS 'posts expected in that hour (posts)';
COMMENT ON COLUMN candidate_windows.hourly_spread IS 'how much wider an hour''s residual is than a window''s (ratio of variances)';
COMMENT ON COLUMN candidate_windows.authors IS 'estimated distinct authors of the window (authors); Infinity: too many to estimate';
COMMENT ON COLUMN candidate_windows.hourly_authors IS 'estimated distinct authors of the hour (authors); Infinity: too many to estimate';

COMMENT ON TABLE challenges IS 'One row per challenge (a hashtag with a page of its own), as last delivered with one of its posts.';

COMMENT ON TABLE daily_trends IS 'What the posts of a day were about. A post counts on each day on which it was delivered, with the counts of its last delivery on that day. Keys with at least 3 posts are kept, at most GROUNDSWELL_TRENDS_KEEP_RANKS per kind; kind all has one row for all posts together.';
COMMENT ON COLUMN daily_trends.rank IS 'place by posts among the keys of its kind on the day, 1 for the most; ties in byte order of the key';
COMMENT ON COLUMN daily_trends.plays IS 'sum of plays over these posts where known (plays); null where none is known';
COMMENT ON COLUMN daily_trends.likes IS 'sum of likes, likewise (likes)';
COMMENT ON COLUMN daily_trends.shares IS 'sum of shares, likewise (shares)';
COMMENT ON COLUMN daily_trends.comments IS 'sum of comments, likewise (comments)';
COMMENT ON COLUMN daily_trends.engagement_rate IS '(likes + comments + shares) / plays over the posts with all four known and plays above 0 (ratio); null without such posts';
COMMENT ON COLUMN daily_trends.virality IS 'shares / plays over the posts with both known and plays above 0 (ratio); null without such posts';
COMMENT ON COLUMN daily_trends.discussion IS 'comments / plays over the posts with both known and plays above 0 (ratio); null without such posts';
COMMENT ON COLUMN daily_trends.growth_1h IS 'steepest growth() from one hour of the day to the next, a post counted in the hour of its first delivery on the day (ratio - 1, with a prior of 10 posts); 0 where no hour had more than the one before';
COMMENT ON COLUMN daily_trends.steepest_hour IS 'hour with that growth, the earliest of ties (UTC hour, 1 to 23); null where none grew';
COMMENT ON COLUMN daily_trends.growth_1d IS 'growth(posts, posts_day_ago): compared with the day before (ratio - 1, with a prior of 10 posts); null where that day is unknown. Compare it with kind all: when everything doubles, so does every key';
COMMENT ON COLUMN daily_trends.growth_7d IS 'growth(posts, posts_week_ago): compared with the same weekday a week before, without the weekly rhythm (ratio - 1, with a prior of 10 posts); null where that day is unknown';

COMMENT ON TABLE detect_batches IS 'Ledger of detection: a batch listed here is done and is skipped when it is repeated after a crash.';

COMMENT ON TABLE detect_clock IS 'How far detection has come in event time; one row.';

COMMENT ON TABLE detection_thresholds IS 'Thresholds that keep the alerts of the last days within a budget. A day is judged by the newest as_of before it.';
COMMENT ON COLUMN detection_thresholds.scope IS 'discovery: all words that are not watched; watched: all watched words together';
COMMENT ON COLUMN detection_thresholds.threshold IS 'smallest score from 4.25 to 8 in steps of 0.05 that stays within the budget; 8 if none does';
COMMENT ON COLUMN detection_thresholds.replayed_days IS 'days that were replayed, at most 7 (days)';
COMMENT ON COLUMN detection_thresholds.replayed_per_day IS 'alerts that the threshold opens in them (alerts a day)';

COMMENT ON TABLE drop_alerts IS 'One row per time span in which a watched keyword was posted far less often than its history predicts while traffic was normal.';
COMMENT ON COLUMN drop_alerts.resolved_at IS 'start of the first window with posts again (event time, UTC); null while it goes on';
COMMENT ON COLUMN drop_alerts.posts IS 'posts in its windows; a window of fewer than three counts as two, the most it can hold (posts)';

COMMENT ON TABLE evidence_runs IS 'How far the evidence of each alert is: from which posts it was gathered, and when.';
COMMENT ON COLUMN evidence_runs.posts IS 'posts in the archive in the windows of the alert, each once per window (posts); more than the alert''s where some arrived too late';
COMMENT ON COLUMN evidence_runs.final IS 'whether it was gathered after the alert was over';
COMMENT ON COLUMN evidence_runs.post_ids IS 'ids of its posts; of more than 10,000, those with the smallest hashes: a sample that can be compared with others';
COMMENT ON COLUMN evidence_runs.runs IS 'how often it was gathered (times)';
COMMENT ON COLUMN evidence_runs.computed_at IS 'when it was last gathered (wall clock)';

COMMENT ON TABLE hashtags IS 'One row per hashtag, from captions and from the list of tags beside them (textExtra).';
COMMENT ON COLUMN hashtags.hashtag IS 'the hashtag without #, normalised and case-folded like keywords (NFKC), at most 64 characters';
COMMENT ON COLUMN hashtags.hashtag_id IS 'TikTok''s id (textExtra[].HashtagId), the smallest of several; null where none was given';
COMMENT ON COLUMN hashtags.first_post_id IS 'the post with which it was first seen (posts.post_id); of several at the same time, the smallest id';

COMMENT ON TABLE incident_members IS 'Which alerts belong to which incident.';
COMMENT ON COLUMN incident_members.overlap IS 'largest share of its posts, or of another member''s where those are fewer, that both have (0.5 to 1); null: the only member';

COMMENT ON TABLE incidents IS 'One row per incident: alerts that share at least half of the posts of the smaller one and overlap in time, directly or through others. Every alert with evidence that was not withdrawn belongs to one.';
COMMENT ON COLUMN incidents.incident_id IS 'derived from the alert that opened first (ties: alphabetical), so it stays the same while words join';
COMMENT ON COLUMN incidents.keyword IS 'headline: the keyword with the most posts; ties: the higher threshold ratio, then the shorter word, then alphabetical';

COMMENT ON TABLE keyword_statistics IS 'The baseline of a keyword, learned up to the end of a day. A keyword without a row has level 1.224745, variance 0, dispersion 1, hourly_spread 1. One partition per day.';
COMMENT ON COLUMN keyword_statistics.hour_deviation IS 'the keyword''s own deviation from level by UTC hour 0 to 23 (square-root posts); null where fewer than 0.5 posts per window are typical';
COMMENT ON COLUMN keyword_statistics.dispersion IS 'over-dispersion: how much heavier the keyword''s peaks are than its variance implies (ratio)';
COMMENT ON COLUMN keyword_statistics.hourly_spread IS 'how much wider an hour''s residual is than a window''s (ratio of variances)';

COMMENT ON TABLE music IS 'One row per sound, as last delivered with a post that uses it.';
COMMENT ON COLUMN music.author_name IS 'who made it, as text';

COMMENT ON TABLE operator_alerts IS 'What the operator has to know, one row per occurrence; docs/operations.md says what to do about each kind. A stalled stream is not a row, because the stream writes the rows: status and metrics report it.';
COMMENT ON COLUMN operator_alerts.opened_at IS 'when the limit was first found to be reached (wall clock)';
COMMENT ON COLUMN operator_alerts.last_seen_at IS 'when it was last found to persist (wall clock)';
COMMENT ON COLUMN operator_alerts.resolved_at IS 'when it was found to be over (wall clock); null while open';
COMMENT ON COLUMN operator_alerts.value IS 'last value (restarts in 15 minutes, 1 for stopped, records, a share of 0 to 1, or days, depending on the kind)';
COMMENT ON COLUMN operator_alerts."limit" IS 'value from which it opens (the same unit)';
COMMENT ON COLUMN operator_alerts.message IS 'what it is and what to do, in one sentence';

COMMENT ON TABLE pipeline_metrics IS 'One row per batch of a streaming query that read something.';
COMMENT ON COLUMN pipeline_metrics.lag_records IS 'records in Kafka that were not yet read after the batch (records)';

COMMENT ON TABLE pipeline_progress IS 'How far each query of the streaming process has read each partition.';
COMMENT ON COLUMN pipeline_progress.next_offset IS 'offset that the query reads next; all before it are committed';
COMMENT ON COLUMN pipeline_progress.end_offset IS 'end of the partition when it was last checked; end_offset - next_offset is the lag (records)';
COMMENT ON COLUMN pipeline_progress.observed_at IS 'when it was last checked (wall clock)';

COMMENT ON TABLE pipeline_totals IS 'Sums over the rows of pipeline_metrics that were deleted after 14 days; together with the remaining rows they are the totals since the beginning.';

COMMENT ON TABLE post_challenges IS 'Which post takes part in which challenge, in any of its deliveries; in the newest one if last_seen equals that of the post.';

COMMENT ON TABLE post_hashtags IS 'Which post had which hashtag in any of its deliveries of a day. One partition per day; GROUNDSWELL_HISTORY_KEEP_DAYS sets how many are kept.';

COMMENT ON TABLE post_keywords IS 'Which post had which keyword in any of its deliveries of a day, for recent days. One partition per day, its rows ordered by keyword; GROUNDSWELL_KEYWORDS_KEEP_DAYS sets how many are kept.';

COMMENT ON TABLE post_stats IS 'History of the counts of a post: its first delivery on a day, and each later one with a change. One partition per day; GROUNDSWELL_HISTORY_KEEP_DAYS sets how many are kept.';
COMMENT ON COLUMN post_stats.seen_at IS 'event time of the delivery (time_stamp, UTC); of several at the same time, the last by Kafka offset';
COMMENT ON COLUMN post_stats.author_id IS 'author in that delivery (authors.author_id), repeated so that a day can be summed by itself; null where unknown';
COMMENT ON COLUMN post_stats.music_id IS 'sound in that delivery (music.music_id); null where unknown';
COMMENT ON COLUMN post_stats.challenge_ids IS 'challenges in that delivery (challenges.challenge_id), in order; empty without any';

COMMENT ON TABLE posts IS 'One row per post, as last delivered.';
COMMENT ON COLUMN posts.created_at IS 'when the post was made (itemInfos.createTime, UTC); null where that is implausible';
COMMENT ON COLUMN posts.duet_of_post_id IS 'the post that this one is a duet with; null if it is not a duet';
COMMENT ON COLUMN posts.like_count IS 'likes at the last delivery (likes); null where unknown';
COMMENT ON COLUMN posts.share_count IS 'shares at the last delivery (shares); null where unknown';
COMMENT ON COLUMN posts.comment_count IS 'comments at the last delivery (comments); null where unknown';
COMMENT ON COLUMN posts.play_count IS 'plays at the last delivery (plays); null where unknown, as in records collected before February 2020';

COMMENT ON TABLE quality_checks IS 'Whether the tables of a day match the archive, and whether the day was like the days before.';
COMMENT ON COLUMN quality_checks."check" IS 'what was checked; docs/quality.md explains each check and what to do';
COMMENT ON COLUMN quality_checks.value IS 'what was found (records, posts, posts per window, hours or a share of 0 to 1, depending on the check)';
COMMENT ON COLUMN quality_checks.expected IS 'what passes: a number, or a range';
COMMENT ON COLUMN quality_checks.blocking IS 'whether a failure fails the step and holds back the next day; other failures are only reported';
COMMENT ON COLUMN quality_checks.checked_at IS 'when it was last checked (wall clock)';

COMMENT ON TABLE suppressed_windows IS 'Windows whose count is an anomaly and that raised no alert, with the reason; one row per keyword and closed window.';
COMMENT ON COLUMN suppressed_windows.reason IS 'few authors: 1.25 times the estimated authors would not be an anomaly; calendar: it was planned';

COMMENT ON TABLE traffic_statistics IS 'Posts of all keywords that a window of each hour usually holds; 24 rows per learned day. Their presence means that the day is complete in keyword_statistics.';

COMMENT ON TABLE traffic_windows IS 'Distinct posts of all keywords per window, as counted by the stream.';
COMMENT ON COLUMN traffic_windows.degraded IS 'whether fewer than a quarter of the expected posts arrived, so that a low count means nothing; null while the window is open or nothing is known about the hour';

COMMENT ON TABLE watchlist IS 'Keywords and phrases that are watched, with a threshold of their own and, if wanted, drop alerts.';
COMMENT ON COLUMN watchlist.phrase IS 'one to four words, as the user writes them';
COMMENT ON COLUMN watchlist.keyword IS 'the same as the keyword rule writes it; filled in by the stream within a minute';
COMMENT ON COLUMN watchlist.threshold IS 'score from which a window is an anomaly; null: that of the budget for watched words, 4.5 without one';
COMMENT ON COLUMN watchlist.drops IS 'whether far fewer posts than expected are an alert too (drop_alerts)';
COMMENT ON COLUMN watchlist.problem IS 'why it cannot be watched as written; null: it can';

COMMENT ON VIEW alert_budget IS 'The budget beside what came of it, one row per day and scope, newest first.';
COMMENT ON COLUMN alert_budget.threshold IS 'the threshold derived from it (score)';
COMMENT ON COLUMN alert_budget.replayed_per_day IS 'alerts that it opens in the replayed days (alerts a day)';
COMMENT ON COLUMN alert_budget.alerts_next_day IS 'alerts that opened on the day after as_of, which was judged by it (alerts)';

COMMENT ON VIEW live_hours IS 'live_counts, each with the hourly window that ends with its window.';
COMMENT ON COLUMN live_hours.hourly_posts IS 'posts of this window and the three before it, counting only windows of three posts or more (posts)';

COMMENT ON VIEW open_alerts IS 'Alerts that are still going on, newest first.';
COMMENT ON COLUMN open_alerts.posts IS 'distinct posts with the keyword over the windows of the alert (posts)';
COMMENT ON COLUMN open_alerts.top_post IS 'link to its most liked post; its author part is _ until the author is loaded';

COMMENT ON VIEW post_keys IS 'Which post had which key on a day, each pair once: keywords, hashtags, challenges, sounds and authors as one list. Always filter by day and kind: the whole is very large.';

COMMENT ON VIEW recent_incidents IS 'Incidents, newest first, each with all its words.';
COMMENT ON COLUMN recent_incidents.typical_post IS 'link to the post that is most similar to the others with the headline word';

COMMENT ON COLUMN recent_alerts.posts IS 'distinct posts with the keyword over the windows of the alert (posts)';
COMMENT ON COLUMN recent_alerts.top_post IS 'link to its most liked post; its author part is _ until the author is loaded';
COMMENT ON COLUMN recent_alerts.resolved_at IS 'end of the alert (event time, UTC); null while open';

COMMENT ON FUNCTION growth IS 'Growth from one period to the next of equal length: (posts + 10) / (posts_before + 10) - 1; 0 is unchanged, 1 is doubled, null where one of them is unknown. Both counts are taken as Poisson counts with the same gamma prior of 10 posts, whose posterior means have the ratio of count + 10 (Gelman et al., Bayesian Data Analysis, 3rd edition, section 2.6). Without the 10, growth from 0 to 1 would be infinite and every word that is posted twice would lead; with it, 0 to 1 is .1 and 0 to 10 is 1.';
COMMENT ON FUNCTION grant_to_roles() IS 'Grants both roles what they need; for the owner of the tables, to be run again if the roles were created after the migration.';
