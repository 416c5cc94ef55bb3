"""From the bytes that arrived to a list: one file to a format."""
