"""The prepaid ledger against the database's own ceiling."""
