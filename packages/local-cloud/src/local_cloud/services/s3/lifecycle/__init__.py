"""Lifecycle configurations: read, judged, carried out."""
