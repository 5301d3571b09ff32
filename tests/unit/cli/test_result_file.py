from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import pytest

from pushkit import ConfigurationError
from pushkit.apns import Device
from pushkit.cli import journal as journal_module
from pushkit.cli.journal import Journal
from pushkit.cli.rows import Row

COMMAND = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--json")


def people(project: Path, server, count: int) -> list:
    devices = [server.device(ref=f"user-{n}") for n in range(1, count + 1)]
    (project / "people.csv").write_text("token,ref\n" + "".join(f"{device.token},{device.ref}\n" for device in devices))
    return devices


def kept(project: Path, condition) -> None:
    """Keep only the lines of the result file that fulfil a condition."""
    path = project / "r.jsonl"
    path.write_text("".join(text for text in path.read_text().splitlines(keepends=True) if condition(json.loads(text))))


def full_disk(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """The disk takes so many bytes more."""
    left = after
    write = os.write

    def limited(file: int, data: bytes) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(file, data[:left])
        left -= written
        return written

    monkeypatch.setattr(journal_module.os, "write", limited)


@pytest.mark.skipif(os.name != "posix", reason="file locks")
def test_a_file_in_use_is_refused(project: Path, server, pushkit) -> None:
    """Two runs at once would send twice."""
    people(project, server, 1)
    with Journal(Path("r.jsonl"), what="x"):
        status, _, err = pushkit(*COMMAND)

    assert 2 == status
    assert '"r.jsonl": another broadcast is writing it' in err
    assert 0 == len(server.sent)


@pytest.mark.parametrize("name", ["folder", "nowhere/r.jsonl", os.devnull])
def test_what_can_be_no_result_file_is_refused(name: str, project: Path, server, pushkit) -> None:
    """One line, status 2, nothing sent."""
    people(project, server, 1)
    (project / "folder").mkdir()

    status, _, err = pushkit("broadcast", "--to", "people.csv", "--result", name, "--title", "Hello")

    assert (2, 1, 0) == (status, err.count("\n"), len(server.sent))


@pytest.mark.parametrize(
    "change",
    [
        {"c": "nonsense"},
        {"c": []},
        {"why": None},
        {"do": "pray"},
        {"d": 5},
        {"again": "yes"},
        {"at": "soon"},
        {"at": float("inf")},
        {"at": 1e300},
        {"at": -1},
        {"p": ["apns"]},
        {"l": {}},
        {"r": True},
    ],
)
def test_a_line_that_no_broadcast_wrote_leaves_its_row_in_doubt(change, project: Path, server, pushkit) -> None:
    """Like one that a kill cut: the row is sent again and named, nothing breaks."""
    server.unregister(people(project, server, 2)[0])
    pushkit(*COMMAND)
    lines = [json.loads(text) for text in (project / "r.jsonl").read_text().splitlines()]
    (project / "r.jsonl").write_text("".join(json.dumps(line | change if "c" in line else line) + "\n" for line in lines))

    in_doubt = json.loads(pushkit("report", "r.jsonl", "--json")[1])["in_doubt"]
    again = json.loads(pushkit(*COMMAND)[1])

    assert [{"row": 1, "ref": "user-1", "file": None}] == in_doubt
    assert (1, [{"row": 1, "ref": "user-1"}]) == (again["sent"], again["maybe_twice"])


def test_a_full_disk_stops_it_and_what_could_not_be_written_is_in_doubt(
    project: Path, server, pushkit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is handed over that cannot be noted; what is under way ends; going on names who may have got it twice."""
    people(project, server, 30)
    with monkeypatch.context() as patched:
        full_disk(patched, 1000)
        status, out, err = pushkit(*COMMAND)
    stopped, arrived = json.loads(out), len(server.sent)
    again = json.loads(pushkit(*COMMAND)[1])

    assert (1, "") == (status, err)
    assert '"r.jsonl": cannot be written (No space left on device)' == stopped["stopped"]
    assert 0 < arrived < 30
    assert arrived == stopped["report"]["accepted"] == stopped["unrecorded"]
    assert (arrived, 30) == (again["maybe_twice_count"], again["report"]["accepted"])


def test_a_disk_that_is_full_from_the_start_sends_nothing(project: Path, server, pushkit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 2, and the next run is not refused for half a first line."""
    people(project, server, 1)
    with monkeypatch.context() as patched:
        full_disk(patched, 20)
        status, _, err = pushkit(*COMMAND)

    assert (2, 0) == (status, len(server.sent))
    assert "cannot be written (No space left on device)" in err
    assert 0 == pushkit(*COMMAND)[0]


def test_the_file_is_synced_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crash of the machine may lose is as little as the documentation says."""
    now = 0.0
    synced: list[float] = []
    monkeypatch.setattr(journal_module.time, "monotonic", lambda: now)
    with Journal(tmp_path / "r.jsonl", what="x") as journal:
        monkeypatch.setattr(journal_module.os, "fsync", lambda _: synced.append(now))
        for number in range(1, 31):
            now = number / 10
            journal.taken(Row(number, None), Device("ab"))

    assert [1.0, 2.0, 3.0, 3.0] == synced


def test_a_row_that_was_begun_does_not_outlive_its_time(project: Path, server, pushkit) -> None:
    """In doubt since two minutes ago with a minute to live: it is expired, and nobody gets it late."""
    people(project, server, 2)
    command = (*COMMAND, "--ttl", "60")
    pushkit(*command)
    kept(project, lambda line: line.get("r") != 2)
    text = (project / "r.jsonl").read_text()
    begun = json.loads(text.splitlines()[1])["at"]
    (project / "r.jsonl").write_text(text.replace(f'"at":{begun}', f'"at":{begun - 120}'))

    report = json.loads(pushkit(*command)[1])["report"]

    assert 2 == len(server.sent)
    assert ["expired"] == [group["reason"] for group in report["groups"]]


def test_a_row_that_goes_on_has_what_is_left_of_its_time(project: Path, server, pushkit) -> None:
    """The provider hears the end that the first run would have told it."""
    people(project, server, 1)
    command = (*COMMAND, "--ttl", "3600")
    pushkit(*command)
    kept(project, lambda line: "r" not in line)
    text = (project / "r.jsonl").read_text()
    begun = json.loads(text.splitlines()[1])["at"]
    (project / "r.jsonl").write_text(text.replace(f'"at":{begun}', f'"at":{begun - 1800}'))

    pushkit(*command)

    assert begun + 1800 == int(server.sent[1].headers["apns-expiration"])


def test_what_failed_for_our_own_configuration_is_sent_by_the_next_run(project: Path, server, pushkit) -> None:
    """Whoever starts the command again has mended it."""
    devices = people(project, server, 3)
    server.behaviour.to(devices[1]).next().answer("TopicDisallowed")
    status, out, _ = pushkit(*(part for part in COMMAND if part != "--json"))
    again = json.loads(pushkit(*COMMAND)[1])

    assert 1 == status
    assert "Failed because of our own credentials or configuration: 1." in out
    assert (1, 3, []) == (again["sent"], again["report"]["accepted"], again["maybe_twice"])


def test_a_list_that_became_shorter_stops_it(project: Path, server, pushkit) -> None:
    """Rows that were begun are gone, and nobody could account for them."""
    people(project, server, 3)
    pushkit(*COMMAND)
    (project / "people.csv").write_text("".join((project / "people.csv").read_text().splitlines(keepends=True)[:3]))

    status, _, err = pushkit(*COMMAND)

    assert 2 == status
    assert "the list has 2 rows, and an earlier run had begun row 3" in err


@pytest.mark.parametrize("arguments", [("--to", "empty.csv"), ("--to", "people.csv", "--set", "apns.key_file=nowhere.p8")])
def test_a_start_that_fails_leaves_no_result_file(arguments, project: Path, server, pushkit) -> None:
    """What is corrected then may be another message or list, and the file would refuse it."""
    people(project, server, 1)
    (project / "empty.csv").write_text("")

    assert 2 == pushkit("broadcast", "--result", "r.jsonl", "--title", "Hello", *arguments)[0]
    assert not list(project.glob("r.jsonl*"))


def test_nobody_can_guess_the_message_from_the_file(tmp_path: Path) -> None:
    """The fingerprint is keyed like the rest."""
    marks = set()
    for name in ("a", "b"):
        with Journal(tmp_path / name, what="Your code is 1234"):
            marks.add(json.loads((tmp_path / name).read_text())["what"])

    assert 2 == len(marks)


def test_another_key_does_not_fit(tmp_path: Path) -> None:
    """Every row would seem to hold somebody else."""
    for name in ("a", "b"):
        with Journal(tmp_path / name, what="x"):
            pass
    (tmp_path / "b.key").replace(tmp_path / "a.key")

    with pytest.raises(ConfigurationError, match="or its key does"):
        Journal(tmp_path / "a", what="x")


def test_a_topic_counts_as_one_in_the_resumed_report_too(project: Path, server, pushkit) -> None:
    """A column of its own, as in the first run."""
    (project / "people.csv").write_text("topic\nnews\n")
    first, second = (json.loads(pushkit(*COMMAND)[1])["report"] for _ in range(2))

    assert 1 == first["fan_out"] == second["fan_out"]


def test_a_cancelled_row_is_sent_at_once_by_the_next_run(project: Path, server, pushkit) -> None:
    """Whoever gave up and starts again does not have to wait for its time."""
    people(project, server, 1)
    pushkit(*COMMAND)
    kept(project, lambda line: "r" not in line)
    line = {"r": 1, "p": "apns", "c": "technical", "why": "cancelled", "do": "retry_later", "say": "", "d": "not_sent", "again": True}
    with (project / "r.jsonl").open("a") as file:
        file.write(json.dumps(line | {"at": time.time() + 60}) + "\n")

    assert 1 == json.loads(pushkit(*COMMAND)[1])["sent"]
