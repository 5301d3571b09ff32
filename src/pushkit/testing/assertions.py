"""Questions that tests ask about what was sent, with answers that help when they are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, cast

from pushkit.testing.addresses import Address, address_of
from pushkit.testing.inbox import Inbox, SentRecord

Matching: TypeAlias = Mapping[str, Any] | Callable[[SentRecord], bool]
"""A part of the payload that must be there, or a question about the record."""

_SHOWN = 8
_LONGEST = 120


class Assertions:
    """Assertions over an inbox. Failure texts show recipients by fingerprint, never in plain text."""

    sent: Inbox
    """What arrived; given by who mixes this in."""

    def assert_sent(
        self,
        count: int | None = None,
        *,
        to: object = None,
        matching: Matching | None = None,
        provider: str | None = None,
        accepted: bool | None = None,
    ) -> Sequence[SentRecord]:
        """
        Check that pushes arrived, and give them.

        Args:
            count: exactly so many; None: at least one.
            to: for this recipient (a target, token, endpoint or topic).
            matching: a part of the payload (nested mappings are compared part by part), or a callable
                ``record -> bool``.
            provider: ``"apns"``, ``"fcm"`` or ``"webpush"``.
            accepted: True: only those that were taken; False: only those that were not.

        Raises:
            AssertionError: names what arrived instead and what each near miss lacks.
        """
        __tracebackhide__ = True
        address = None if to is None else address_of(to)
        records = list(self.sent)
        chosen = [r for r in records if not _misses(r, address, matching, provider, accepted)]
        if (count is None and chosen) or len(chosen) == count:
            return chosen
        wanted = "at least one push" if count is None else _pushes(count)
        lines = [
            f"expected {wanted}{_described(address, matching, provider, accepted)}; {len(chosen)} did, of {_pushes(len(records))} in all"
        ]
        lines += [f"  fits: {_line(r)}" for r in chosen[:_SHOWN]]
        near = sorted(
            ((_misses(r, address, matching, provider, accepted), r) for r in records if r not in chosen), key=lambda pair: len(pair[0])
        )
        lines += [f"  near miss: {_line(r)}: {'; '.join(misses)}" for misses, r in near[:_SHOWN]]
        if len(near) > _SHOWN:
            lines.append(f"  … and {len(near) - _SHOWN} more")
        raise AssertionError("\n".join(lines))

    def assert_nothing_sent(self, *, to: object = None, provider: str | None = None) -> None:
        """
        Check that no push arrived (for this recipient, this provider).

        Raises:
            AssertionError: names what did.
        """
        __tracebackhide__ = True
        address = None if to is None else address_of(to)
        records = [r for r in self.sent if not _misses(r, address, None, provider, None)]
        if records:
            lines = [f"expected no push{_described(address, None, provider, None)}; {len(records)} arrived"]
            raise AssertionError("\n".join([*lines, *(f"  {_line(r)}" for r in records[:_SHOWN])]))

    def assert_retried(self, times: int | None = None, *, to: object = None, waited: Sequence[float] | None = None) -> None:
        """
        Check that pushes were tried again.

        Args:
            times: repeats in all (attempts after the first); None: at least one.
            to: for this recipient only.
            waited: seconds between the attempts of that recipient, each within a hundredth.

        Raises:
            AssertionError: shows the attempts with their times and answers.
            ValueError: ``waited`` without ``to``.
        """
        __tracebackhide__ = True
        if waited is not None and to is None:
            raise ValueError("waited= is about one recipient: pass to= as well")
        records = list(self.sent) if to is None else self.sent.to(to)
        repeats = [r for r in records if r.attempt > 1]
        if (times is None and not repeats) or (times is not None and len(repeats) != times):
            wanted = "at least one repeat" if times is None else f"{times} repeats"
            raise AssertionError("\n".join([f"expected {wanted}, saw {len(repeats)}", *_attempts(records)]))
        gaps = [b.time - a.time for a, b in pairwise(records) if b.attempt > 1]
        if waited is not None and (len(gaps) != len(waited) or any(abs(a - b) > 0.01 for a, b in zip(gaps, waited, strict=True))):
            seen = ", ".join(f"{gap:.2f}" for gap in gaps)
            raise AssertionError("\n".join([f"expected waits of {list(waited)} s, saw [{seen}]", *_attempts(records)]))


def _pushes(count: int) -> str:
    return f"{count} push{'' if count == 1 else 'es'}"


def _described(address: Address | None, matching: Matching | None, provider: str | None, accepted: bool | None) -> str:
    said = ""
    if provider is not None:
        said += f" through {provider}"
    if address is not None:
        said += f" to {address.shown}"
    if matching is not None:
        said += " matching the callable" if callable(matching) else f" with {_short(matching)}"
    if accepted is not None:
        said += " accepted" if accepted else " refused"
    return said


def _misses(
    record: SentRecord, address: Address | None, matching: Matching | None, provider: str | None, accepted: bool | None
) -> list[str]:
    misses: list[str] = []
    if provider is not None and record.provider != provider:
        misses.append(f"provider is {record.provider}")
    if address is not None and (record.address.key != address.key or (address.provider and record.provider != address.provider)):
        misses.append("another recipient")
    if accepted is not None and record.accepted is not accepted:
        misses.append("accepted" if record.accepted else f"not accepted ({record.reason or record.fault or record.status})")
    if callable(matching):
        if not matching(record):
            misses.append("the callable says no")
    elif matching is not None:
        misses += _missing(matching, record.payload, "")
    return misses


def _missing(wanted: object, seen: object, path: str) -> list[str]:
    if isinstance(wanted, Mapping):
        if not isinstance(seen, Mapping):
            return [f"{path or 'the payload'} is {_short(seen)}, expected an object"]
        found = cast("Mapping[str, object]", seen)
        misses: list[str] = []
        for name, value in cast("Mapping[str, object]", wanted).items():
            where = f"{path}.{name}" if path else name
            misses += _missing(value, found[name], where) if name in found else [f"{where} is missing"]
        return misses
    return [] if wanted == seen else [f"{path or 'the payload'} is {_short(seen)}, expected {_short(wanted)}"]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    text = repr(text) if isinstance(value, str) else text
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _line(record: SentRecord) -> str:
    said = record.fault or f"{record.status} {record.reason}".strip()
    title = f" {_short(record.title)}" if record.title else ""
    return f"#{record.number} {record.address.shown}{title} attempt {record.attempt} → {said}"


def _attempts(records: Sequence[SentRecord]) -> list[str]:
    if not records:
        return ["  nothing was sent"]
    start = records[0].time
    return [f"  +{r.time - start:.2f} s {_line(r)}" for r in records[:_SHOWN]]
