-- Watched keywords; counting searches every text for those that the keyword rule alone would not find.
SELECT DISTINCT keyword FROM watchlist WHERE keyword IS NOT NULL ORDER BY keyword
