"""What all other rooms share: records, keywords, windows, settings, errors and catalog properties."""
