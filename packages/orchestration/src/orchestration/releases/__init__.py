"""From a checkout to objects in the artifact bucket."""
