"""What is kept of a feed, as files: downloads, lists, their differences, the journal, what others read."""
