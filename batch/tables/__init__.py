"""From a day of the archive to the tables of posts, authors, music, challenges, hashtags and trends."""
