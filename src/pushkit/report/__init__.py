"""The report of many pushes: how many, why not, who has to act, and what to do."""

from __future__ import annotations

from pushkit.report.core import Group, Report, Row
from pushkit.report.tally import Latency, Timeline

__all__ = ["Group", "Latency", "Report", "Row", "Timeline"]
