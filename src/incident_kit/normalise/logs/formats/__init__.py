"""Console layouts: documented patterns, how one is chosen for a container, and how an unknown one is learnt."""
