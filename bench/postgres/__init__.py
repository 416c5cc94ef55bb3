"""What the ledger on PostgreSQL is asked for, measured beside psycopg alone: `python -m postgres`."""
