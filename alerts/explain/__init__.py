"""Why an alert was raised, in a sentence, and whether every stored figure follows from the archive."""
