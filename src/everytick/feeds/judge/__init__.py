"""Which rows are good, and whether a list is one to believe: pure, it knows no archive and no network."""
