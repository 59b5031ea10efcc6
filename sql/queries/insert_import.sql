-- Enter a file in the ledger of imports; its progress starts at 0 lines.
INSERT INTO archive_imports (file_number, sha256, partition, file, bytes)
VALUES (%(file_number)s, %(sha256)s, %(partition)s, %(file)s, %(bytes)s)
