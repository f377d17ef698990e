"""ConfigMaps and Secrets: who reads them, and since when a container holds which state."""
