"""A corpus of incidents whose truth is known, made without any knowledge of the matcher."""
