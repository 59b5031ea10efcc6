"""The names under which a record says when it was collected, for the producer and the batch."""

COLLECTED_AT = "collected_at"
COLLECTION_TIMES = (COLLECTED_AT, "scraped_at", "crawled_at", "fetched_at", "retrieved_on")
"""Members of a record that say when it was collected, if its source writes one: the first there is counts."""
