"""Networks."""

from toponet.models.dive import DIVE

__all__ = ["DIVE"]
