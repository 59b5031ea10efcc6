-- How far the import of a file has come.
UPDATE archive_imports
SET lines = %(lines)s, posts = %(posts)s, rejected = %(rejected)s, finished = %(finished)s, updated_at = now()
WHERE partition = %(partition)s
