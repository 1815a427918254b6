"""Making it so, one resource after the other, and back again where that fails."""
