"""An audit: it goes through a ledger in constant memory, and asks `everytick.proof` of all it reads."""
