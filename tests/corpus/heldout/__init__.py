"""Formats that the matcher was not developed against: written apart from it and added after it."""
