from steelyard.rehearsal.report.page import ChartLibraryError, write
from steelyard.rehearsal.report.schema import ReportError

__all__ = ["ChartLibraryError", "ReportError", "write"]
