-- Drop everything that the step load has staged.
DROP TABLE staging.posts, staging.authors, staging.music, staging.challenges, staging.post_challenges, staging.post_hashtags,
    staging.post_keywords;
DROP TABLE IF EXISTS staging.post_stats_day, staging.author_stats_day, staging.post_hashtags_day, staging.post_keywords_day
