"""Symptoms in the logs of a workload: rates that rose, templates that began or ended."""
