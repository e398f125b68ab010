"""What a command answers; defined in `models.report`, so that both outer rooms can use it."""

from models.report import Report, say, table

__all__ = ["Report", "say", "table"]
