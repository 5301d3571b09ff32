"""Events as log records: the standard library and the real structlog."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.canaries import Canaries, LeakCatcher
from tests.unit.contrib.heard import every_event, finished
from tests.values import Phone, make_failure

from pushkit import Category, apns, events
from pushkit.contrib.logs import DEFAULT_LEVELS, LogHook


class Keep(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept():
    logger, keep = logging.getLogger("pushkit.events"), Keep()
    logger.addHandler(keep)
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield keep.records
    logger.removeHandler(keep)
    logger.setLevel(level)
    logger.propagate = propagate


def failure(**changes: Any) -> events.Finished:
    return finished(make_failure(Category.TECHNICAL, **changes))


def test_every_event_is_a_record(kept: list[logging.LogRecord]) -> None:
    """One of each event gives one record each, with the event's name in its fields."""
    hook = LogHook()
    heard = every_event()
    for event in heard:
        hook(event)

    assert len(heard) == len(kept)
    assert set(DEFAULT_LEVELS) == {vars(record)["push_event"] for record in kept}


def test_a_failure_says_what_happened_and_what_to_do(kept: list[logging.LogRecord]) -> None:
    """The line itself has category, reason and advice; the fields have the rest."""
    LogHook()(failure(scope=None))
    record = kept[0]
    fields = vars(record)

    assert "apns: technical failure ServiceUnavailable: Try again later." == record.getMessage()
    assert logging.WARNING == record.levelno
    assert ("unknown", "retry_later", 503) == (fields["push_disposition"], fields["push_action"], fields["push_status"])
    assert "ref=user-7" in fields["push_target"]


def test_an_accepted_push_is_debug(kept: list[logging.LogRecord]) -> None:
    """What went well is quiet."""
    LogHook()(finished())

    assert logging.DEBUG == kept[0].levelno


def test_the_documentation_names_every_level() -> None:
    """The table of the page is that of the code."""
    page = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    told = {
        event: getattr(logging, level)
        for level, events_of in re.findall(r"^\| (ERROR|WARNING|INFO|DEBUG) \| (.*) \|$", page, re.MULTILINE)
        for event in re.findall(r"`([a-z_]+)`", events_of)
    }

    assert dict(DEFAULT_LEVELS) == told


def test_levels_can_be_changed(kept: list[logging.LogRecord]) -> None:
    """Each event has its own level."""
    LogHook(levels={"accepted": logging.INFO})(finished())

    assert logging.INFO == kept[0].levelno


def test_a_level_for_no_event_is_refused() -> None:
    """A typing error is found when the hook is made, with the names there are."""
    with pytest.raises(ValueError, match=r"no such event: acepted; there are .*accepted"):
        LogHook(levels={"acepted": logging.INFO})


def test_what_is_no_logger_is_refused() -> None:
    """A wrong argument is found when the hook is made, not with the first push at night."""
    nothing: Any = None
    with pytest.raises(TypeError, match="expected a logger, its name, or one in the manner of structlog, found NoneType"):
        LogHook(nothing)


def test_nothing_is_built_for_a_level_that_is_off(kept: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepted pushes cost no formatting unless somebody listens at DEBUG."""
    logging.getLogger("pushkit.events").setLevel(logging.INFO)
    monkeypatch.setattr("pushkit.contrib.logs._outcome_fields", lambda _: pytest.fail("built for nobody"))
    LogHook()(finished())

    assert [] == kept


def test_a_flood_of_one_kind_is_bounded(kept: list[logging.LogRecord]) -> None:
    """A million equal failures are ten lines, and the next minute says how many there were."""
    now = [0.0]
    hook = LogHook(per_minute=10, clock=lambda: now[0])
    for _ in range(1000):
        hook(failure())
    told = len(kept)
    now[0] = 61.0
    hook(failure())

    assert 10 == told
    assert 11 == len(kept)
    assert "(990 more like this were not logged)" in kept[-1].getMessage()
    assert 990 == vars(kept[-1])["push_held_back"]


def test_another_kind_is_not_held_back(kept: list[logging.LogRecord]) -> None:
    """A flood of one reason hides no other."""
    hook = LogHook(per_minute=1, clock=lambda: 0.0)
    for reason in ("a", "a", "b"):
        hook(failure(reason=reason))

    assert ["a", "b"] == [vars(record)["push_reason"] for record in kept]


def test_the_bound_can_be_switched_off(kept: list[logging.LogRecord]) -> None:
    """``per_minute=0`` logs every failure."""
    hook = LogHook(per_minute=0)
    for _ in range(30):
        hook(failure())

    assert 30 == len(kept)


def test_kinds_that_are_remembered_are_bounded() -> None:
    """A server that invents a reason for each push fills no memory."""
    hook = LogHook(clock=lambda: 0.0)
    for number in range(1000):
        hook(failure(reason=f"made-up-{number}"))

    assert 256 == len(hook._bursts)


def test_control_characters_of_a_stranger_are_taken_out(kept: list[logging.LogRecord]) -> None:
    """A reason with an ANSI escape or a line break forges no line."""
    LogHook()(failure(reason="x\x1b[31m\nERROR root: forged"))

    assert "\x1b" not in kept[0].getMessage()
    assert "\n" not in kept[0].getMessage()


def test_nothing_from_outside_acts_in_any_field(kept: list[logging.LogRecord]) -> None:
    """Ids, labels, refs, fields and details are plain text, whoever wrote them."""
    bad = "\x1b[31m\u202e\nx"
    said = {"message_id": bad, "label": bad, "field": f"data[{bad!s}]", "detail": bad, "advice": bad, "target": Phone(ref=bad, app=bad)}
    LogHook()(finished(make_failure(Category.PAYLOAD, **said)))

    assert not set("\x1b\u202e\n") & set(
        "".join(value for name, value in vars(kept[0]).items() if name.startswith("push_") and isinstance(value, str))
    )
    assert not set("\x1b\u202e\n") & set(kept[0].getMessage())


def test_a_per_cent_sign_is_no_format(kept: list[logging.LogRecord]) -> None:
    """Text is never taken as a format string."""
    LogHook()(failure(advice="100 %s"))

    assert kept[0].getMessage().endswith("100 %s")


def test_an_adapter_works(kept: list[logging.LogRecord]) -> None:
    """A LoggerAdapter is a standard logger."""
    LogHook(logging.LoggerAdapter(logging.getLogger("pushkit.events"), {}))(failure())

    assert 1 == len(kept)


def test_an_adapter_adds_its_fields(kept: list[logging.LogRecord]) -> None:
    """Those of the adapter (of all of them) and those of the event are both on the record."""
    inner = logging.LoggerAdapter(logging.getLogger("pushkit.events"), {"service": "orders"})
    LogHook(logging.LoggerAdapter(inner, {"request": "r1"}))(failure())
    fields = vars(kept[0])

    assert ("orders", "r1", "ServiceUnavailable") == (fields["service"], fields["request"], fields["push_reason"])


def test_the_last_line_of_a_flood_says_so(kept: list[logging.LogRecord]) -> None:
    """Ten lines and then silence would look like ten failures."""
    hook = LogHook(per_minute=3)
    for _ in range(10):
        hook(failure())

    assert [False, False, True] == ["further ones like this are counted" in record.getMessage() for record in kept]


def test_floods_of_raised_events_are_bounded_too(kept: list[logging.LogRecord]) -> None:
    """Whoever raises ``recipient_gone`` to INFO does not ask for a million lines."""
    hook = LogHook(levels={"recipient_gone": logging.INFO}, per_minute=3)
    for _ in range(10):
        hook(events.RecipientGone(outcome=make_failure(Category.RECIPIENT)))

    assert 3 == len(kept)


def test_structlog_gets_key_value_pairs() -> None:
    """A structlog logger gets the line as its event and the fields under their plain names."""
    lines: list[str] = []

    class Out:
        def msg(self, message: str) -> None:
            lines.append(message)

        log = debug = info = warning = error = critical = msg

    hook = LogHook(
        structlog.make_filtering_bound_logger(logging.INFO)(
            Out(), [structlog.processors.add_log_level, structlog.processors.JSONRenderer()], {}
        )
    )
    hook(failure())
    hook(finished())
    found = [json.loads(line) for line in lines]

    assert 1 == len(found)
    assert "technical_failure" == found[0]["push_event"]
    assert "ServiceUnavailable" == found[0]["reason"]
    assert "warning" == found[0]["level"]


def test_structlogs_test_logger_hears_every_event() -> None:
    """Every event passes structlog's own capture, as a user's tests would use it."""
    with structlog.testing.capture_logs() as captured:
        hook = LogHook(structlog.get_logger())
        for event in every_event():
            hook(event)

    assert set(DEFAULT_LEVELS) == {entry["push_event"] for entry in captured}
    assert all(isinstance(entry["event"], str) for entry in captured)


def test_structlogs_formatter_renders_standard_records(kept: list[logging.LogRecord]) -> None:
    """A program that sends everything through structlog's ProcessorFormatter sees the fields, without any change."""
    LogHook()(failure())
    formatter = structlog.stdlib.ProcessorFormatter(
        processor=structlog.processors.JSONRenderer(), foreign_pre_chain=[structlog.stdlib.ExtraAdder(), structlog.stdlib.add_log_level]
    )
    shown = json.loads(formatter.format(kept[0]))

    assert "ServiceUnavailable" == shown["push_reason"]
    assert "warning" == shown["level"]


def test_nothing_secret_is_logged(canaries: Canaries, leaks: LeakCatcher) -> None:
    """Targets and texts are in no record and no field, at any level, through either kind of logger."""
    target = apns.Device(canaries.device_token, ref={"row": canaries.data})
    with structlog.testing.capture_logs() as captured:
        for hook in (LogHook(), LogHook(structlog.get_logger())):
            for event in every_event(target):
                hook(event)
    leaks.see_text("structlog", repr(captured))


def test_pushkits_own_logger_is_silent_and_untouched() -> None:
    """A null handler, no level, records go on to the program's handlers."""
    import pushkit.client  # noqa: F401 - the client brings it

    logger = logging.getLogger("pushkit")

    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    assert (logging.NOTSET, True) == (logger.level, logger.propagate)
