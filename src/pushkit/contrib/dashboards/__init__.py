"""
A Grafana dashboard and Prometheus alert rules for what :mod:`pushkit.contrib.prometheus` exports.

They are files inside the package; on a command line::

    python -m pushkit.contrib.dashboards grafana > pushkit-dashboard.json     # Grafana: Dashboards, New, Import
    python -m pushkit.contrib.dashboards alerts > pushkit-alerts.yaml         # prometheus.yml: rule_files
"""

from __future__ import annotations

from importlib import resources

__all__ = ["alerts", "grafana"]


def grafana() -> str:
    """The dashboard as JSON, for Grafana 10 and newer. The Prometheus data source is chosen at its top."""
    return _text("grafana.json")


def alerts() -> str:
    """Alert rules as YAML, for a ``rule_files`` entry of Prometheus."""
    return _text("alerts.yaml")


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
