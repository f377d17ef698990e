"""The commands: each parses its words, calls one library function, prints its answer."""
