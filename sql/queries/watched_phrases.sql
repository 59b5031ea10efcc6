-- Watched keywords of more than one word, which counting searches for in every text.
SELECT DISTINCT keyword FROM watchlist WHERE keyword LIKE '% %' ORDER BY keyword
