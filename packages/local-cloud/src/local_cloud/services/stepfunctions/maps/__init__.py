"""Map states: their settings, the items of a distributed one, and where its results go."""
