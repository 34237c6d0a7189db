from steelyard.loadtest.report.page import Report, write

__all__ = ["Report", "write"]
