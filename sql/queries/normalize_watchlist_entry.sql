-- Set the keyword of a watchlist entry, or the problem with it.
UPDATE watchlist SET keyword = %(keyword)s, problem = %(problem)s WHERE phrase = %(phrase)s
