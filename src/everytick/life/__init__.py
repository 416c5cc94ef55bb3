"""The life of a process in the ledger: its beats, the deaths of others, its clock, commits that were lost."""
