"""What people ask of a feed: what it holds, what changed, what was left out; nothing here writes."""
