"""Pure functions on tables: identity over time, reconciliation, connections, changes."""
