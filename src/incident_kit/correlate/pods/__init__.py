"""Pods over time: who a pod was, what ran in it, which addresses it held, how it ended."""
