"""The dashboard and the alert rules name only what is exported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import CollectorRegistry
from tests.unit.contrib.heard import Patient, every_event

from pushkit import Scope, events
from pushkit.apns.reasons import ROWS as APNS
from pushkit.contrib import dashboards
from pushkit.contrib.prometheus import PrometheusMetrics
from pushkit.fcm.reasons import ROWS as FCM

_METRIC = re.compile(r"\bpushkit_[a-z0-9_]+")
_SELECTOR = re.compile(r"\b(pushkit_[a-z0-9_]+)\{([^}]*)\}")
_BY = re.compile(r"\b(?:by|on) \(([^)]*)\) ?\(?")
_MATCHER = re.compile(r'\s*([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


def exported() -> dict[str, dict[str, set[str]]]:
    """Every exported sample's name with its labels and the values that were seen."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    metrics.watch(Patient())
    for event in every_event():
        metrics(event)
    metrics(events.BudgetExhausted(provider="fcm", app="default"))
    found: dict[str, dict[str, set[str]]] = {}
    for family in registry.collect():
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            # Prometheus says where it scraped.
            for name, value in {**sample.labels, "job": "orders"}.items():
                labels.setdefault(name, set()).add(value)
    return found


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(dashboards.grafana())["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(dashboards.alerts())["groups"] for rule in group["rules"]]


def expressions() -> list[tuple[str, str]]:
    shown = [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]
    variables = [
        ("variable", item["definition"]) for item in json.loads(dashboards.grafana())["templating"]["list"] if "definition" in item
    ]
    return [*shown, *variables, *((rule["alert"], " ".join(rule["expr"].split())) for rule in rules())]


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_every_metric_and_label_is_exported(where: str, expression: str) -> None:
    """A renamed metric or label fails here and not on somebody's empty panel."""
    known = exported()
    names = set(_METRIC.findall(expression))
    assert names
    assert set() == names - set(known)
    for name, matchers in _SELECTOR.findall(expression):
        for label, _, _ in _MATCHER.findall(matchers):
            assert label in known[name], f"{name} has no label {label}"
    for grouping in _BY.findall(expression):
        labels = {label.strip() for label in grouping.split(",")} - {""}
        assert any(labels <= set(known[name]) for name in names), f"no metric here has all of {labels}"


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_every_fixed_label_value_exists(where: str, expression: str) -> None:
    """A panel that asks for ``state="opened"`` would stay empty for ever."""
    known = exported()
    possible = {
        "category": {"accepted", "technical", "payload", "recipient"},
        "disposition": {"accepted", "not_sent", "rejected", "unknown"},
        "waits_for": {"nothing", "floor", "backoff", "retry_after"},
        "state": {"open", "half_open", "closed"},
        "latched": {"true", "false"},
    }
    fixed = [
        (label, value)
        for name, matchers in _SELECTOR.findall(expression)
        for label, how, value in _MATCHER.findall(matchers)
        if how in {"=", "!="}
    ]

    assert [] == [pair for pair in fixed if pair[1] not in possible[pair[0]]]
    assert known


def test_the_alert_about_throttling_knows_every_word_for_it() -> None:
    """A provider that asks for patience is told apart by its reason: those of the tables, and what the client says itself."""
    (rule,) = [rule for rule in rules() if rule["alert"] == "PushkitThrottled"]
    named = re.search(r'reason=~"([^"]*)"', rule["expr"])
    assert named is not None
    words = {name for name, row in APNS.items() if row.scope is Scope.THROTTLE}
    words |= {row.reason for row in FCM.values() if row.scope is Scope.THROTTLE}

    assert words | {"throttled", "http_429"} == set(named[1].split("|"))


def lost(told: Any, kept: Any, path: str = "") -> list[str]:
    """Where something of the first is missing from the second, or different."""
    if isinstance(told, dict):
        return [
            line for key, value in told.items() for line in (lost(value, kept[key], f"{path}/{key}") if key in kept else [f"{path}/{key}"])
        ]
    if isinstance(told, list):
        pairs = enumerate(zip(told, kept, strict=True))
        return [line for number, (one, other) in pairs for line in lost(one, other, f"{path}[{number}]")]
    return [] if told == kept else [path]


def test_grafanas_own_models_know_every_field() -> None:
    """Read by Grafana's models of dashboards and panels and written again, nothing is lost: no field is misspelt or misplaced."""
    register_default_plugins()
    dashboard = json.loads(dashboards.grafana())
    for written_by_hand in ("__inputs", "__requires"):  # for the import dialogue, which takes them out
        del dashboard[written_by_hand]
    for variable in dashboard["templating"]["list"]:
        variable.pop("definition", None)  # what the list of variables shows; their models leave it out
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))

    assert [] == lost(dashboard, again)


def test_every_exported_metric_is_shown() -> None:
    """Nothing is exported for nobody: each metric is in a panel or an alert."""
    shown = {name for _, expression in expressions() for name in _METRIC.findall(expression)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported() if not name.endswith("_created")}

    assert set() == families - {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown}


def test_the_documentation_names_every_metric_and_every_alert() -> None:
    """The page lists what is exported, and nothing that is not."""
    page = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported() if not name.endswith("_created")}

    assert families == set(re.findall(r"`(pushkit_[a-z_]+)`", page))
    assert {rule["alert"] for rule in rules()} == set(re.findall(r"\bPushkit[A-Z][A-Za-z]+", page))


def test_legends_name_labels_of_their_query() -> None:
    """A legend with a label that the query drops shows an empty name."""
    for panel in panels():
        for target in panel["targets"]:
            kept = {label.strip() for grouping in _BY.findall(target["expr"]) for label in grouping.split(",")}
            assert set(re.findall(r"\{\{([a-z_]+)\}\}", target["legendFormat"])) <= kept, panel["title"]


def test_alerts_say_who_acts_and_what_to_do() -> None:
    """Each alert has a severity, a team, a summary and a description, and a name of its own."""
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["labels"]["team"] in {"engineering", "content", "data"}
        assert len(rule["annotations"]["summary"]) > 10
        assert len(rule["annotations"]["description"]) > 20
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))


def test_alert_texts_use_labels_that_their_rule_keeps() -> None:
    """A summary with ``{{ $labels.x }}`` needs x in the result of its expression."""
    known = exported()
    for rule in rules():
        expression = " ".join(rule["expr"].split())
        groupings = [{label.strip() for label in grouping.split(",")} for grouping in _BY.findall(expression)]
        kept = set().union(*groupings) if groupings else {label for name in _METRIC.findall(expression) for label in known[name]}
        used = set(re.findall(r"\$labels\.([a-z_]+)", json.dumps(rule["annotations"])))
        assert used <= kept, rule["alert"]


def test_panels_do_not_overlap() -> None:
    """Every panel has a place of its own on the grid of 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(dashboards.grafana())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


@pytest.mark.parametrize(("name", "begin"), [("grafana", "{"), ("alerts", "# Alert rules")])
def test_the_files_can_be_written_out(name: str, begin: str) -> None:
    """``python -m pushkit.contrib.dashboards`` gives them without looking for the installed files."""
    done = subprocess.run(
        [sys.executable, "-m", "pushkit.contrib.dashboards", name], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.startswith(begin)


def test_another_name_is_refused() -> None:
    """The exit status is 2, and the message names the choices."""
    done = subprocess.run(
        [sys.executable, "-m", "pushkit.contrib.dashboards", "x"], capture_output=True, text=True, check=False, timeout=60
    )

    assert (2, "expected one of: grafana, alerts\n") == (done.returncode, done.stderr)
