"""Pure: what proves from rows that every instant has one tick, and what is left of deleted ones."""
