"""An environment is brought to a release, compared with it, tried, and destroyed."""
