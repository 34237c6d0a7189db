"""Draw a plan as one self-contained page: how the evidence grows, per fault and step."""

from steelyard.planning.page.page import write

__all__ = ["write"]
