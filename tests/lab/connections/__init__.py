"""Scenario of connections: whose are they, where address and name lie, and where they were when nodes went away."""
