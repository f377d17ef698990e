"""What changed: one list of changes, each with all its evidence, from every object that remembers one."""
