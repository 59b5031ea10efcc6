-- Posts of each of %(keywords)s in the windows that live_counts has from %(first)s to before %(before)s.
SELECT keyword, window_start, posts
FROM live_counts
WHERE keyword = ANY (%(keywords)s) AND window_start >= %(first)s AND window_start < %(before)s
