-- Empty what the step load has staged of a small day. Deleting a few rows takes less than a table's new file.
DELETE FROM staging.posts;
DELETE FROM staging.authors;
DELETE FROM staging.music;
DELETE FROM staging.challenges;
DELETE FROM staging.post_challenges;
DELETE FROM staging.post_hashtags;
DELETE FROM staging.post_keywords
