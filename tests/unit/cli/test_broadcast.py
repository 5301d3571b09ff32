from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from pushkit import Report
from pushkit.testing import Stall


def write_csv(path: Path, devices, **columns) -> None:
    path.write_text("token,ref\n" + "".join(f"{device.token},{device.ref}\n" for device in devices))


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_everybody_on_the_list_gets_it(project: Path, server, pushkit) -> None:
    """Exit status 0, everybody is accounted for."""
    write_csv(project / "people.csv", [server.device(ref=f"user-{n}") for n in range(50)])

    status, out, err = pushkit("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--label", "spring")

    assert (0, "") == (status, err), out
    assert "50 pushes: 50 accepted" in out
    assert "Everybody on the list is accounted for in r.jsonl" in out
    assert 50 == len(server.sent)


def test_rows_of_every_kind_are_read(project: Path, server, pushkit) -> None:
    """JSONL with all providers, and rows that are no recipients: counted and named, none dropped."""
    subscription = server.subscription()
    rows = [
        {"token": server.device().token, "ref": "phone"},
        {"token": server.registration().token},
        {"provider": "fcm", "topic": "news"},
        {"condition": "'a' in topics"},
        {"endpoint": subscription.endpoint, "p256dh": subscription.p256dh, "auth": subscription.auth},
        {"subscription": {"endpoint": subscription.endpoint, "keys": {"p256dh": subscription.p256dh, "auth": subscription.auth}}, "ref": 7},
        {"token": "neither hex nor a registration"},
        {"provider": "carrier pigeon"},
        [1, 2],
    ]
    (project / "people.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n{broken\n\n")

    status, out, _ = pushkit("broadcast", "--to", "people.jsonl", "--result", "r.jsonl", "--title", "Hello", "--json")

    report = json.loads(out)["report"]
    assert 0 == status
    assert (10, 6, 4) == (report["total"], report["accepted"], report["recipient"])
    assert ["row 7", "row 8", "row 9", "row 10"] == report["groups"][0]["refs"]
    assert 2 == report["fan_out"]


def test_the_result_file_holds_no_address_and_no_text(project: Path, server, pushkit) -> None:
    """Row numbers, keyed hashes, reasons, references; the key is beside it for its owner alone."""
    devices = [server.device(ref=f"user-{n}") for n in range(5)]
    server.unregister(devices[2])
    write_csv(project / "people.csv", devices)

    pushkit("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "The secret title")

    text = (project / "r.jsonl").read_text() + (project / "r.jsonl.key").read_text()
    assert not [device.token for device in devices if device.token in text or device.token[:16] in text]
    assert "secret title" not in text
    if os.name == "posix":
        assert [0o600, 0o600] == [(project / name).stat().st_mode & 0o777 for name in ("r.jsonl", "r.jsonl.key")]


def test_a_second_run_sends_to_nobody(project: Path, server, pushkit) -> None:
    """All rows have ended; the report is that of the first run."""
    devices = [server.device(ref=f"user-{n}") for n in range(20)]
    server.unregister(devices[3])
    write_csv(project / "people.csv", devices)
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--json")
    first = json.loads(pushkit(*command)[1])

    second = json.loads(pushkit(*command)[1])

    assert 20 == len(server.sent)
    assert (0, 20) == (second["sent"], second["skipped"])
    for name in ("total", "accepted", "recipient", "groups", "rows"):
        assert first["report"][name] == second["report"][name]


def test_what_can_be_sent_again_is_when_its_time_has_come(project: Path, server, pushkit) -> None:
    """A throttled device is tried again by the same command, later and not before."""
    devices = [server.device(ref=f"user-{n}") for n in range(3)]
    server.behaviour.to(devices[1]).next().answer("TooManyRequests")
    write_csv(project / "people.csv", devices)
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--json")
    assert 1 == pushkit(*command)[0]

    too_early = json.loads(pushkit(*command)[1])
    spoiled = [json.dumps(line | {"at": time.time() - 1} if line.get("at") else line) for line in lines(project / "r.jsonl")]
    (project / "r.jsonl").write_text("\n".join(spoiled) + "\n")
    in_time = json.loads(pushkit(*command)[1])

    assert (0, 3) == (too_early["sent"], too_early["skipped"])
    assert (1, 2) == (in_time["sent"], in_time["skipped"])
    assert 3 == in_time["report"]["accepted"]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: (folder / "r.jsonl").write_text('{"other": 1}\n'), "is no result file of a broadcast"),
        (lambda folder: (folder / "r.jsonl.key").unlink(), "the key of the result file is missing"),
        (
            lambda folder: (folder / "people.csv").write_text((folder / "other.csv").read_text()),
            "holds another recipient than in the earlier run",
        ),
    ],
)
def test_a_result_file_that_does_not_fit_stops_it(spoil, complaint: str, project: Path, server, pushkit) -> None:
    """Going on by row number would send to the wrong people; exit status 2 and nothing is sent."""
    write_csv(project / "people.csv", [server.device(ref=f"user-{n}") for n in range(3)])
    write_csv(project / "other.csv", [server.device(ref=f"user-{n}") for n in range(3)])
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello")
    assert 0 == pushkit(*command)[0]
    spoil(project)

    status, _, err = pushkit(*command)

    assert 2 == status
    assert complaint in err
    assert 3 == len(server.sent)


def test_another_message_does_not_go_on_in_the_same_file(project: Path, server, pushkit) -> None:
    """Half of the people would get one message and half another."""
    write_csv(project / "people.csv", [server.device()])
    pushkit("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello")

    status, _, err = pushkit("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Good-bye")

    assert 2 == status
    assert "belongs to another broadcast" in err


def test_a_dry_run_of_the_list_sends_nothing(project: Path, server, pushkit) -> None:
    """What is wrong with rows is found; APNs has no validation, so nothing may go there."""
    write_csv(project / "people.csv", [server.device(ref=n) for n in range(3)])
    with (project / "people.csv").open("a") as file:
        file.write("not a token,user-x\n")

    status, out, _ = pushkit(
        "broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--provider", "apns", "--dry-run"
    )

    assert 0 == status
    assert "invalid_token" in out
    assert 0 == len(server.sent)


@pytest.mark.parametrize("cut", ['{"r":2', "", '{"r":2,"p":"ap'])
def test_a_row_that_was_begun_and_has_no_outcome_is_named(cut: str, project: Path, server, pushkit) -> None:
    """A kill may come before, while or after the provider took it; the line may be cut. It is in doubt."""
    devices = [server.device(ref=f"user-{n}") for n in (1, 2)]
    write_csv(project / "people.csv", devices)
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--json")
    pushkit(*command)
    kept = [line for line in (project / "r.jsonl").read_text().splitlines(keepends=True) if '"r":2' not in line]
    (project / "r.jsonl").write_text("".join(kept) + cut)

    skipped = json.loads(pushkit(*command, "--in-doubt", "skip")[1])
    shown = pushkit("report", "r.jsonl")[1]
    sent = json.loads(pushkit(*command)[1])
    after = json.loads(pushkit(*command)[1])

    row = [{"row": 2, "ref": "user-2"}]
    assert (0, row, []) == (skipped["sent"], skipped["in_doubt"], skipped["maybe_twice"])
    assert "In doubt (begun, no outcome: killed, or still running): 1. 2 (user-2)" in shown
    assert (1, [], row) == (sent["sent"], sent["in_doubt"], sent["maybe_twice"])
    assert (0, [], row) == (after["sent"], after["in_doubt"], after["maybe_twice"]), "who asks later has to learn it too"
    assert 2 == after["report"]["accepted"]


def test_a_row_in_doubt_that_holds_somebody_else_now_stops_it(project: Path, server, pushkit) -> None:
    """Nobody could say who may have got it."""
    write_csv(project / "people.csv", [server.device(ref=f"user-{n}") for n in (1, 2)])
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello")
    pushkit(*command)
    (project / "r.jsonl").write_text(
        "".join(line for line in (project / "r.jsonl").read_text().splitlines(keepends=True) if '"r":2' not in line)
    )
    write_csv(project / "people.csv", [server.device(ref=f"user-{n}") for n in (1, 2)])

    status, _, err = pushkit(*command)

    assert 2 == status
    assert "row 1 holds another recipient" in err


def test_repeated_addresses_are_left_out_and_are_not_in_doubt(project: Path, server, pushkit) -> None:
    """``--unique``: the second row of a device is counted, sent to nobody, and the list is complete."""
    device, other = server.device(ref="a"), server.device(ref="b")
    write_csv(project / "people.csv", [device, other, device, device])
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--unique", "--json")

    first, second = (json.loads(pushkit(*command)[1]) for _ in range(2))

    assert (2, 2, 0, True) == (first["sent"], first["repeated"], first["maybe_twice_count"], first["complete"])
    assert (0, 2, 2, 0) == (second["sent"], second["skipped"], second["repeated"], second["maybe_twice_count"])
    assert 2 == len(server.sent)


# A shell without job control has what it starts in the background ignore Ctrl-C, and broadcast leaves that as it is.
AS_IN_A_TERMINAL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("pushkit", run_name="__main__", alter_sys=True)
"""


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUSHKIT")}
    return subprocess.Popen(
        [sys.executable, "-c", AS_IN_A_TERMINAL, "broadcast", *arguments, "--title", "Hello", "--json"],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come so far in time"
        time.sleep(0.01)


def database(project: Path, server, count: int) -> list[str]:
    """SQLite with so many devices, a few of them dead."""
    devices = [server.device(ref=n) for n in range(count)]
    for device in devices[:: max(count // 20, 1)]:
        server.unregister(device)
    with sqlite3.connect(project / "people.db") as connection:
        connection.execute("CREATE TABLE devices (id INTEGER PRIMARY KEY, token TEXT)")
        connection.executemany("INSERT INTO devices VALUES (?, ?)", [(n + 1, device.token) for n, device in enumerate(devices)])
    connection.close()
    return [device.token for device in devices]


def kill_and_go_on(project: Path, server, count: int) -> None:
    """Start, kill -9 in the middle, go on, and account for everybody."""
    tokens = database(project, server, count)
    command = ("--to", "sqlite:///people.db", "--query", "SELECT token, id AS ref FROM devices ORDER BY id", "--result", "r.jsonl")
    running = start(project, *command)
    wait_for(lambda: len(server.sent) > count // 3, seconds=60 + count / 300)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    time.sleep(0.2)  # what was on the wire arrives
    arrived_before = Counter(record.recipient for record in server.sent if record.accepted)

    done = start(project, *command)
    out, err = done.communicate(timeout=600)

    assert done.returncode == 0, err
    result = json.loads(out)
    assert count == result["report"]["total"] == result["sent"] + result["skipped"]
    dead = len(tokens[:: max(count // 20, 1)])
    assert (count - dead, dead) == (result["report"]["accepted"], result["report"]["recipient"])
    arrived = Counter(record.recipient for record in server.sent if record.accepted)
    assert count - dead == len(arrived)
    twice = {token for token, times in arrived.items() if times > 1}
    assert max(arrived.values()) <= 2
    named = {tokens[row["row"] - 1] for row in result["maybe_twice"]}
    assert twice <= named, "somebody got it twice and is not named"
    # 1000 in flight at the most, and as many outcomes that nobody had read yet.
    assert result["maybe_twice_count"] <= 2000, "far more are in doubt than can have been under way"
    assert arrived_before
    [_, *_] = lines(project / "r.jsonl")


def test_a_kill_in_the_middle_loses_nobody(project: Path, server) -> None:
    """Everybody is accounted for, and who may have got it twice is named."""
    kill_and_go_on(project, server, 4_000)


@pytest.mark.full
def test_a_kill_in_the_middle_of_two_hundred_thousand_loses_nobody(project: Path, server) -> None:
    """The same in the size of a real campaign."""
    kill_and_go_on(project, server, 200_000)


@pytest.mark.skipif(os.name != "posix", reason="SIGINT to a process of its own")
def test_an_interrupt_drains_and_tells_how_to_go_on(project: Path, server) -> None:
    """Ctrl-C: nothing new is begun, what is under way ends, nobody is in doubt, exit status 130."""
    database(project, server, 4_000)
    command = ("--to", "sqlite:///people.db", "--query", "SELECT token, id AS ref FROM devices ORDER BY id", "--result", "r.jsonl")
    # With a thousand in flight the whole list takes four rounds, so that the signal comes in the middle of it.
    server.behaviour.apns.delay(0.3)
    running = start(project, *command)
    wait_for(lambda: len(server.sent) > 500)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)

    assert (130, "") == (running.returncode, err)
    stopped = json.loads(out)
    assert stopped["interrupted"]
    assert 0 < stopped["sent"] < 4_000
    assert stopped["sent"] == stopped["report"]["total"]

    done = start(project, *command)
    result = json.loads(done.communicate(timeout=120)[0])
    assert (4_000, 0) == (result["report"]["total"], result["maybe_twice_count"])
    arrived = Counter(record.recipient for record in server.sent if record.accepted)
    assert {1} == set(arrived.values())


@pytest.mark.parametrize("answer", ["InvalidProviderToken", "TopicDisallowed", "InternalServerError", "PayloadTooLarge"])
def test_it_stops_when_nothing_gets_through(answer: str, project: Path, server, pushkit) -> None:
    """A refused key, setting or message, an outage: the rest of the list is not burnt, and the next run goes on."""
    write_csv(project / "people.csv", [server.device(ref=n) for n in range(6_000)])
    server.behaviour.apns.after(50).answer(answer)
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--json")

    status, out, _ = pushkit(*command)

    stopped = json.loads(out)
    assert 1 == status
    assert "pushes to apns failed in a row, the last with " in stopped["stopped"]
    assert not stopped["complete"]
    assert stopped["sent"] < 3_000
    assert stopped["sent"] == stopped["report"]["total"]


def test_a_provider_that_refuses_recipients_works(project: Path, server, pushkit) -> None:
    """A list of dead devices with failures among them is read to its end."""
    devices = [server.device() for _ in range(700)]
    for device in devices:
        server.unregister(device)
    server.behaviour.apns.rate(0.5).answer("TopicDisallowed")
    write_csv(project / "people.csv", devices)
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--json", "--set", "client.max_in_flight=20")

    result = json.loads(pushkit(*command)[1])

    assert result["complete"]
    assert 200 < result["report"]["technical"]


def test_after_a_refused_key_everybody_is_sent_to(project: Path, server, pushkit) -> None:
    """Once each: what was refused for the key's sake too."""
    write_csv(project / "people.csv", [server.device(ref=n) for n in range(3_000)])
    server.behaviour.apns.after(50).answer("InvalidProviderToken")
    command = ("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--json")
    pushkit(*command)
    server.behaviour.reset()

    status, out, _ = pushkit(*command)

    assert 0 == status
    assert 3_000 == json.loads(out)["report"]["accepted"]
    assert {1} == set(Counter(record.recipient for record in server.sent if record.accepted).values())


def test_a_list_without_recipients_is_not_read_to_its_end(project: Path, server, pushkit) -> None:
    """The wrong file, or other names of columns."""
    (project / "people.jsonl").write_text('{"device": "ab"}\n' * 5_000)

    status, out, _ = pushkit("broadcast", "--to", "people.jsonl", "--result", "r.jsonl", "--title", "Hello")

    assert 1 == status
    assert "rows 1 to 200 hold no recipient; is this the right list, with the right columns?" in out
    assert "give it a result file of its own" in out


def test_a_row_without_recipient_stops_nothing(project: Path, server, pushkit) -> None:
    """Many of them do not either, as long as there are recipients among them."""
    devices = [server.device() for _ in range(2)]
    rows = ['{"device": "ab"}'] * 150
    (project / "people.jsonl").write_text("\n".join([*rows, *(json.dumps({"token": device.token}) for device in devices), *rows]))

    out = pushkit("broadcast", "--to", "people.jsonl", "--result", "r.jsonl", "--title", "Hello", "--json")[1]

    assert (302, 2) == (json.loads(out)["report"]["total"], len(server.sent))


@pytest.mark.skipif(os.name != "posix", reason="signals to a process of its own")
def test_asked_twice_it_does_not_wait(project: Path, server) -> None:
    """What is given up is in the report and the file, with its fate; the next run sends it at once and names who may have it already."""
    database(project, server, 500)
    server.behaviour.apns.after(100).fault(Stall())
    command = ("--to", "sqlite:///people.db", "--query", "SELECT token, id AS ref FROM devices ORDER BY id", "--result", "r.jsonl")
    running = start(project, *command)
    wait_for(lambda: len(server.sent) >= 500)
    running.terminate()
    time.sleep(0.3)  # two signals at the same time are one
    began = time.monotonic()
    running.terminate()
    out, err = running.communicate(timeout=60)
    took = time.monotonic() - began
    server.behaviour.reset()
    again = json.loads(start(project, *command).communicate(timeout=60)[0])

    stopped = json.loads(out)
    assert (130, "") == (running.returncode, err)
    assert took < 10
    assert 500 == stopped["report"]["total"]
    assert 400 <= stopped["report"]["unknown"] == again["maybe_twice_count"]
    assert 500 == again["report"]["total"]
    assert 0 == again["report"]["technical"]


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_who_may_have_got_it_twice_is_named_after_two_kills_too(project: Path, server) -> None:
    """The run that sent again was killed before it could say so."""
    tokens = database(project, server, 4_000)
    command = ("--to", "sqlite:///people.db", "--query", "SELECT token, id AS ref FROM devices ORDER BY id", "--result", "r.jsonl")
    for until in (500, 1_700):
        running = start(project, *command)
        wait_for(lambda until=until: len(server.sent) > until)
        running.kill()
        running.communicate(timeout=10)
        time.sleep(0.2)  # what was on the wire arrives

    result = json.loads(start(project, *command).communicate(timeout=120)[0])

    arrived = Counter(record.recipient for record in server.sent if record.accepted)
    named = {tokens[row["row"] - 1] for row in result["maybe_twice"]}
    assert 4_000 == result["report"]["total"]
    assert {token for token, times in arrived.items() if times > 1} <= named


def test_the_result_file_is_a_report(project: Path, server, pushkit) -> None:
    """``report r.jsonl`` shows it, as text, page and JSON."""
    devices = [server.device(ref=f"user-{n}") for n in range(5)]
    server.unregister(devices[2])
    write_csv(project / "people.csv", devices)
    pushkit("broadcast", "--to", "people.csv", "--result", "r.jsonl", "--title", "Hello", "--html", "page.html")

    status, out, _ = pushkit("report", "r.jsonl", "--json")

    assert 0 == status
    assert (5, 4, 1) == (Report.from_json(out).total, Report.from_json(out).accepted, Report.from_json(out).recipient)
    assert "<!DOCTYPE html>" in (project / "page.html").read_text("utf-8")
    assert "user-2" in pushkit("report", "r.jsonl")[1]
