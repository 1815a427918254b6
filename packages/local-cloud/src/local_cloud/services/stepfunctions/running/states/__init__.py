"""What a state of each type does, one module a type."""
