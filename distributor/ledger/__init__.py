"""The ledger: what was intended, what was tried, and what became of every recipient."""
