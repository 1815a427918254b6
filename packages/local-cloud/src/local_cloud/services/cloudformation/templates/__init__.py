"""Templates: read, checked, and evaluated for one deployment."""
