"""Data like the published, made here: the same for the same seed."""

from orchestration.generate.reviews import reviews
from orchestration.generate.trips import yellow_month

__all__ = ["reviews", "yellow_month"]
