"""The lab's real servers: one folder each, with the same files: settings, build, start, stop, facts."""
