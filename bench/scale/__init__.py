"""Several nodes over PostgreSQL: load, growth, and revocation across nodes."""
