"""The ledger suite: what a verification costs a service, and how soon it refuses what was revoked."""
