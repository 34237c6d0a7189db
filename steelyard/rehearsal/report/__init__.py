from steelyard.page.library import ChartLibraryError
from steelyard.rehearsal.report.page import write
from steelyard.rehearsal.report.schema import ReportError

__all__ = ["ChartLibraryError", "ReportError", "write"]
