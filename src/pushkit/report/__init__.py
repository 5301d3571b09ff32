"""The report of many pushes: how many, why not, who has to act, and what to do."""

from __future__ import annotations

from pushkit.report.compare import Change
from pushkit.report.core import Report
from pushkit.report.groups import Group, Row
from pushkit.report.tally import Latency, Timeline

__all__ = ["Change", "Group", "Latency", "Report", "Row", "Timeline"]
