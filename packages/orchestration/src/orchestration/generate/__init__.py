"""Data like the published, made here: the same for the same seed."""

from orchestration.generate.fhvhv import fhvhv_month
from orchestration.generate.reviews import reviews
from orchestration.generate.yellow import yellow_month

__all__ = ["fhvhv_month", "reviews", "yellow_month"]
