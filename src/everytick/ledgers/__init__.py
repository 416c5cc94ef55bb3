"""Where the ledger can live: one room for each store, and the SQL of each under sql/."""
