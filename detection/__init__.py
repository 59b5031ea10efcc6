"""Mathematics and counting: how often a keyword is posted, what is expected of it, and how unusual that is.

Opens no file and no connection.
"""
