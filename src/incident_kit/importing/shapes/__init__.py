"""Shapes in which people bring what the layout holds in another: one module for each family."""
