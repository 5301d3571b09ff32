from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pushkit import Report, webpush


def test_send_says_that_it_was_accepted(project: Path, server, pushkit) -> None:
    """Exit status 0, and the provider's id."""
    status, out, err = pushkit("send", "--apns", server.device().token, "--title", "Hello", "--data", "a=b", "--ttl", "60")

    assert (0, "") == (status, err)
    assert out.startswith("accepted by apns, message id ")
    assert "Hello" == server.sent[0].title


def test_send_says_why_not(project: Path, server, pushkit) -> None:
    """Exit status 1, reason, advice."""
    device = server.device()
    server.unregister(device)

    status, out, _ = pushkit("send", "--apns", device.token, "--title", "Hello")

    assert 1 == status
    assert "apns Unregistered (recipient, rejected)" in out
    assert "Remove this device" in out


@pytest.mark.parametrize("kind", ["apns", "fcm", "webpush", "topic"])
def test_every_kind_of_target_can_be_sent_to(kind: str, project: Path, server, pushkit) -> None:
    """A token, a topic, a subscription in a file."""
    subscription = server.subscription()
    (project / "sub.json").write_text(
        json.dumps({"endpoint": subscription.endpoint, "keys": {"p256dh": subscription.p256dh, "auth": subscription.auth}})
    )
    where = {"apns": server.device().token, "fcm": server.registration().token, "webpush": "sub.json", "topic": "news"}[kind]

    status, out, _ = pushkit("send", f"--{kind}", where, "--title", "Hello", "--json")

    assert 0 == status
    assert json.loads(out)["category"] is None


def test_a_token_can_come_from_standard_input(project: Path, server, pushkit, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is in no process list and no shell history."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(server.device().token + "\n"))

    assert 0 == pushkit("send", "--apns", "-", "--title", "Hello")[0]


def test_json_holds_no_token(project: Path, server, pushkit) -> None:
    """A fingerprint stands for it."""
    token = server.device().token

    assert token not in pushkit("send", "--apns", token, "--title", "Hello", "--json")[1]


def test_a_dry_run_sends_nothing(project: Path, server, pushkit) -> None:
    """The local checks alone, with the same words."""
    fine = pushkit("send", "--apns", server.device().token, "--title", "Hello", "--dry-run")
    wrong = pushkit("send", "--apns", server.device().token, "--body", "x" * 5000, "--dry-run")

    assert 0 == fine[0]
    assert 1 == wrong[0]
    assert "payload_too_large" in wrong[1]
    assert 0 == len(server.sent)


@pytest.mark.parametrize("form", ["json", "toml"])
def test_a_message_can_come_from_a_file(form: str, project: Path, server, pushkit) -> None:
    """The fields of a notification; a flag wins."""
    fields = {
        "title": {"key": "T", "fallback": "fallback"},
        "body": "from the file",
        "priority": "low",
        "expires_at": "2100-01-01T00:00:00+00:00",
    }
    text = (
        json.dumps(fields)
        if form == "json"
        else 'body = "from the file"\npriority = "low"\nexpires_at = 2100-01-01T00:00:00Z\n[title]\nkey = "T"\nfallback = "fallback"\n'
    )
    (project / f"message.{form}").write_text(text)

    assert 0 == pushkit("send", "--apns", server.device().token, "--message", f"message.{form}", "--body", "from the flag")[0]
    assert b"from the flag" in server.sent[0].body


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("send", "--title", "x"), "expected exactly one of --apns, --fcm, --topic, --webpush; got none"),
        (("send", "--title", "x", "--topic", "a", "--apns", "b"), "got --apns and --topic"),
        (("send", "--topic", "a", "--priority", "urgent"), "the message cannot be made"),
        (("send", "--topic", "a", "--data", "novalue"), "--data: expected name=value"),
        (("send", "--topic", "a", "--message", "nowhere.json"), '"nowhere.json": no such file'),
        (("send", "--topic", "a", "--set", "apns.tpoic=x"), "there is no setting apns.tpoic; did you mean topic?"),
        (("send", "--topic", "a", "--set", "apns.key=SECRET"), "shows in the process list; set PUSHKIT_APNS_KEY instead"),
        (("send", "--topic", "a", "--set", "nothing"), "--set: expected section.name=value"),
        (("send", "--topic", "a", "--config", "other.toml"), '"other.toml": no such file'),
        (("broadcast", "--to", "nobody.csv", "--result", "r.jsonl", "--title", "x"), '"nobody.csv": no such file'),
        (("broadcast", "--to", "pushkit.toml", "--result", "r.jsonl", "--title", "x"), "expected a name that ends in .csv, .tsv or .jsonl"),
        (("broadcast", "--to", "sqlite:///x.db", "--result", "r.jsonl", "--title", "x"), "a database needs --query"),
        (("broadcast", "--to", "nonsense://x", "--query", "q", "--result", "r.jsonl", "--title", "x"), "this database URL cannot be used"),
        (("broadcast", "--to", "x.csv", "--result", "r.jsonl", "--in-doubt", "pray"), '--in-doubt: expected "send" or "skip"'),
        (
            ("broadcast", "--to", "x.csv", "--result", "r.jsonl", "--provider", "hms"),
            "--provider: expected apns, fcm or webpush, got 'hms'",
        ),
        (("send", "--topic", "a", "--message", "data.json"), "data: expected a table of names and values"),
        (("preview", "--title", "x", "--html", "nowhere/p.html"), '"nowhere/p.html": cannot be written'),
        (("keys", "test", "vapid.pem/keys"), '"vapid.pem/keys": cannot be made'),
        (("report", "nowhere.json"), '"nowhere.json": no such file'),
        (("report", "pushkit.toml"), "is neither a report"),
        (("explain", "hms", "410"), "expected one of apns, fcm, webpush, pushkit, got 'hms'"),
        (("explain", "apns"), "give a status or a reason"),
        (("explain", "apns", "NoSuchReason"), "no row of apns's table has 'NoSuchReason'"),
        (("explain", "apns", "Unregisterd"), "did you mean Unregistered"),
        (("explain", "Unregisterd"), "did you mean apns Unregistered"),
        (("explain", "apns", "INVALID_ARGUMENT"), "it is a word of fcm: explain fcm INVALID_ARGUMENT"),
        (("explain", "pushkit", "circuit_opened"), "did you mean circuit_open"),
        (("explain", "pushkit"), "give one of its words"),
        (("explain", "410"), "name it, such as: explain apns 410"),
        (("explain", "apns", "1000"), "expected an HTTP status from 100 to 599, got 1000"),
        (("explain", "webpush", "410", "--service", "opera"), "--service: expected one of mozilla, google"),
        (("explain",), "give a status or a reason"),
        (("report", "pushkit.toml", "--language", "fr"), "--language: language='fr': expected one of en, zh"),
        (("keys", "vapid", "vapid.pem"), '"vapid.pem" exists already; a key is never written over'),
    ],
)
def test_a_mistake_is_one_line_with_the_mend(arguments, complaint: str, project: Path, server, pushkit) -> None:
    """Exit status 2, nothing on standard output, no traceback, nothing sent."""
    (project / "data.json").write_text('{"title": "x", "data": [1]}')

    status, out, err = pushkit(*arguments)

    assert (2, "") == (status, out)
    assert complaint in err
    assert 1 == err.count("\n")
    assert "SECRET" not in err
    assert 0 == len(server.sent)


@pytest.mark.parametrize("arguments", [("nonsense",), ("send", "--nonsense"), ("send", "--badge", "many", "--topic", "a")])
def test_an_unknown_argument_is_exit_status_two(arguments, pushkit) -> None:
    """As every command line has it."""
    assert 2 == pushkit(*arguments)[0]


def test_keys_vapid_writes_a_private_file_and_shows_the_public_half(project: Path, pushkit) -> None:
    """The browser's applicationServerKey."""
    status, out, _ = pushkit("keys", "vapid", "new.pem", "--json")
    shown = json.loads(pushkit("keys", "vapid", "new.pem", "--show", "--json")[1])

    assert 0 == status
    assert json.loads(out)["public_key"] == shown["public_key"] == webpush.VapidKey.from_file("new.pem").public_key
    assert os.name != "posix" or 0o600 == stat.S_IMODE((project / "new.pem").stat().st_mode)
    assert "PRIVATE" not in out


def test_keys_test_makes_credentials_that_can_be_read(project: Path, pushkit) -> None:
    """A whole set for tests."""
    from pushkit import apns, fcm

    made = json.loads(pushkit("keys", "test", "throwaway", "--json")[1])

    apns.TokenKey.from_file(made["files"][0], team_id=made["team_id"])
    fcm.ServiceAccount.from_file(made["files"][1])
    webpush.VapidKey.from_file(made["files"][2])


def test_report_shows_joins_and_compares(project: Path, server, pushkit, tmp_path: Path) -> None:
    """Text, Markdown, page, JSON; a suspicious change is exit status 1."""
    from tests.unit.report.test_compare import report

    quiet, loud = report(996, BadDeviceToken=4), report(690, BadDeviceToken=310)
    (tmp_path / "a.json").write_text(quiet.to_json())
    (tmp_path / "b.json").write_text(loud.to_json())

    assert "2,000 pushes" in pushkit("report", "a.json", "b.json")[1]
    assert "共 1,000 条推送" in pushkit("report", "a.json", "--language", "zh")[1]
    assert "| --- |" in pushkit("report", "a.json", "--markdown")[1]
    assert 1000 == Report.from_json(pushkit("report", "a.json", "--json")[1]).total
    status, out, _ = pushkit("report", "b.json", "--compare", "a.json", "--html", "out.html")
    assert 1 == status
    assert "apns BadDeviceToken: 0.4 % → 31.0 %: suspicious" in out
    assert "suspicious" in (tmp_path / "out.html").read_text("utf-8")
    assert 0 == pushkit("report", "a.json", "--compare", "b.json")[0]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ("apns", "410", "Unregistered"),
            ("apns 410 Unregistered", "remove recipient", "whoever keeps the recipient list", "no longer active"),
        ),
        (("apns", "BadDeviceToken"), ("review recipient", "Rather a mistake of our own")),
        (("apns", "500"), ("retry later", "after 15 minutes at the earliest", "this attempt alone")),
        (("fcm", "UNREGISTERED"), ("remove recipient",)),
        (("fcm", "503", "UNAVAILABLE"), ("It may have arrived all the same",)),
        (("webpush", "mozilla", "errno 109"), ("web push key", "The push service refused it")),
        (("webpush", "201"), ("accepted",)),
        (("apns", "timeout"), ("timeout", "It may have arrived all the same", "retry later")),
        (("pushkit", "expired"), ("never got there", "older than its ttl")),
        (("fcm", "connect_failed"), ("network, DNS and firewall",)),
        (("webpush", "invalid_p256dh"), ("remove recipient", "stored with it is damaged")),
        (("apns", "418", "NewInventedWord"), ("NewInventedWord", "fix configuration", "This word is not in the table")),
        (("apns", "unregistered"), ("apns 410 Unregistered", "people delete apps", "also said by: webpush apple")),
        (("APNS", "410"), ("review recipient", "Check before you remove this device")),
        (("timeout",), ("pushkit timeout", "fcm: after 10 seconds", "sends some people two copies")),
        (("fcm", "timeout"), ("try again     after 10 seconds at the earliest",)),
        (("Unregistered",), ("apns 410 Unregistered",)),
        (("UNREGISTERED",), ("fcm 404 UNREGISTERED",)),
        (("fcm", "BadDeviceToken"), ("Check that the iPhone app's build",)),
        (("fcm", "http_502"), ("fcm 502 http_502",)),
        (("fcm", "INVALID_ARGUMENT"), ("fix payload", "INVALID_ARGUMENT (apns gone): Remove this device", "and 5 more")),
        (("fcm", "TOO_MANY_TOPICS"), ("keep the device",)),
        (("mozilla", "410"), ("webpush mozilla 410",)),
        (("webpush", "mozilla", "109"), ("webpush mozilla 401 errno 109",)),
        (("webpush", "VapidPkHashMismatch"), ("webpush apple 400 VapidPkHashMismatch", "resubscribe")),
        (("webpush", "payload_too_large"), ("larger than this push service takes",)),
        (("endpoint_not_allowed",), ("The table also has", "allow it in the settings")),
        (("oauth_invalid_client",), ("pushkit oauth_invalid_client", "every push with this key")),
        (("credential_latched",), ("the outcome's retry_at says when", "a rule of pushkit's own")),
        (("apns", "--raw", 'HTTP/2 410\napns-id: 1\n\n{"reason":"ExpiredToken","timestamp":1}'), ("ExpiredToken", "remove recipient")),
        (
            (
                "fcm",
                "--raw",
                '{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"errorCode":"SENDER_ID_MISMATCH","@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError"}]}}',
            ),
            ("SENDER_ID_MISMATCH", "same Firebase project"),
        ),
    ],
)
def test_explain_says_what_an_answer_means(arguments, parts, pushkit) -> None:
    """Category, who has to act, what to do, whether it may have arrived, with the source."""
    status, out, _ = pushkit("explain", *arguments)

    assert 0 == status
    for part in parts:
        assert part in out


def test_explain_speaks_chinese_and_json(pushkit) -> None:
    """The table's own translation; everything as data."""
    chinese = pushkit("explain", "apns", "410", "Unregistered", "--language", "zh")[1]
    assert [] == [part for part in ("移除接收者", "token 在该 topic 下已失效", "有人卸载了应用") if part not in chinese]
    explained = json.loads(pushkit("explain", "apns", "410", "Unregistered", "--json")[1])
    assert "remove_recipient" == explained["verdict"]["action"]
    assert "Unregistered" == explained["rows"][0]["reason"]


def test_doctor_finds_everything_in_order(project: Path, server, pushkit) -> None:
    """Each layer by name; the probe is refused as expected and reaches nobody."""
    status, out, _ = pushkit("doctor")

    assert 0 == status, out
    for part in ("installation", "python", "key file", "dns", "tls", "credentials", "probe: the credentials are believed"):
        assert part in out
    assert "✗" not in out


def test_doctor_finds_a_wrong_key(project: Path, server, pushkit) -> None:
    """The first line names the cause, the second the mend."""
    from pushkit.testing.accounts import Accounts

    (project / "key.p8").write_text(Accounts().new_apns_key().pem or "")

    status, out, _ = pushkit("doctor")

    lines = out.splitlines()
    assert 1 == status
    assert lines[0].startswith("✗ apns, probe: InvalidProviderToken")
    assert "key file, key id and team id" in lines[1]


def test_doctor_finds_a_wrong_clock(project: Path, server, pushkit) -> None:
    """A server whose clock is off gets its tokens refused; the finding says clock."""
    server.shift_time(2 * 3600)
    try:
        status, out, _ = pushkit("doctor")
    finally:
        server.shift_time(-2 * 3600)

    assert 1 == status
    assert "clock" in "".join(out.splitlines()[:4])


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (('origin = "https://localhost:', 'origin = "https://localhost.invalid:'), ", dns: localhost.invalid"),
        (('ca_file = "ca.pem"', ""), ", tls: localhost:"),
        (('key_file = "key.p8"', 'key_file = "other.p8"'), "no such file"),
        (("[apns]", "[apns]\nkye_id = 1"), "there is no setting apns.kye_id; did you mean key_id?"),
        (("[apns]", '[apns]\nkey = "x"'), "is a secret and does not belong into this file"),
        (("[apns]", "[apns"), "is no valid TOML (line 2"),
    ],
)
def test_doctor_names_the_layer_that_fails(change, finding: str, project: Path, pushkit) -> None:
    """One finding a line, what is wrong first, exit status 1."""
    text = (project / "pushkit.toml").read_text()
    assert change[0] in text
    (project / "pushkit.toml").write_text(text.replace(*change))

    status, out, _ = pushkit("doctor")

    assert 1 == status
    assert any(line.startswith("✗") and finding in line for line in out.splitlines()), out


def test_doctor_offline_asks_nobody(project: Path, server, pushkit) -> None:
    """The machine and the configuration alone, as JSON."""
    before = server.port("apns").connections if hasattr(server.port("apns"), "connections") else None
    status, out, _ = pushkit("doctor", "--offline", "--json")

    assert 0 == status
    assert {"installation", "python", "key file"} <= {finding["subject"] for finding in json.loads(out)}
    assert before == (server.port("apns").connections if before is not None else None)


def test_doctor_sees_a_key_that_others_can_read(project: Path, pushkit) -> None:
    """A warning with the command that mends it."""
    (project / "key.p8").chmod(0o644)

    out = pushkit("doctor", "--offline")[1]

    assert '! apns, key file: "key.p8" can be read by others' in out
    assert "chmod 600" in out


def test_without_the_extra_the_command_line_says_what_to_install(tmp_path: Path) -> None:
    """In a Python without typer: one line, exit status 2."""
    code = "import sys; sys.modules['typer'] = None; import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n == 'typer' else f(n, *a); from pushkit.cli.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert 2 == done.returncode
    assert 'The command line needs typer: pip install "pushkit-sdk[cli]"\n' == done.stderr


def test_an_interrupted_command_has_the_status_that_shells_expect(pushkit, monkeypatch: pytest.MonkeyPatch) -> None:
    """130, and one line."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pushkit.cli.keys.make_vapid", interrupted)

    assert (130, "", "pushkit: interrupted\n") == pushkit("keys", "vapid", "new.pem")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk")
def test_output_that_cannot_be_written_is_one_line() -> None:
    """No traceback."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pushkit", "explain", "apns", "410"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert 2 == done.returncode
    assert done.stderr.startswith("pushkit: standard output cannot be written")


def test_a_terminal_that_cannot_show_a_character_costs_no_output() -> None:
    """Chinese on a Western terminal is escaped."""
    done = subprocess.run(
        [sys.executable, "-m", "pushkit", "explain", "apns", "410", "Unregistered", "--language", "zh"],
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "\\u" in done.stdout


def test_version(pushkit) -> None:
    """The same as the package's."""
    import pushkit as package

    assert f"pushkit {package.__version__}\n" == pushkit("--version")[1]


def test_serve_says_where_it_is_and_ends_on_sigterm(tmp_path: Path) -> None:
    """One JSON line when everything answers; exit status 0."""
    running = subprocess.Popen(
        [sys.executable, "-m", "pushkit", "serve", "--credentials", "keys"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    ready = json.loads(running.stdout.readline())
    running.terminate()
    _, err = running.communicate(timeout=20)

    assert (0, "") == (running.returncode, err)
    assert "https://localhost:" in json.dumps(ready)
    assert list((tmp_path / "keys").iterdir())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--port", "apns"), "expected name=number"),
        (("--port", "apns=70000"), "expected name=number"),
        (("--engine", "x"), "expected auto, ngh2 or h2"),
        (("--port", "nonsense=1"), "nonsense"),
        (("--snippet", "cobol"), "cobol"),
    ],
)
def test_serve_refuses_what_makes_no_sense(arguments, complaint: str, pushkit) -> None:
    """Exit status 2 and one line."""
    status, _, err = pushkit("serve", *arguments)

    assert 2 == status
    assert complaint in err


def test_preview_shows_and_warns(project: Path, pushkit) -> None:
    """Terminal, page, picture and JSON; exit status 1 when a provider would refuse it."""
    status, out, _ = pushkit("preview", "--title", "Hello", "--body", "World", "--html", "p.html", "--svg", "p.svg")

    assert 0 == status
    assert "Hello" in out
    assert (project / "p.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert "<svg" in (project / "p.svg").read_text("utf-8")[:200]
    status, out, _ = pushkit("preview", "--json")
    assert 1 == status
    assert "refused" in {warning["effect"] for warning in json.loads(out)["warnings"]}


def test_preview_of_some_platforms(project: Path, pushkit) -> None:
    """Those that the team has; one that there is not is named with those that there are."""
    chosen = ("--platform", "ios", "--platform", "windows", "--provider", "fcm", "--app-name", "Shop")
    status, out, _ = pushkit("preview", "--title", "Hello", *chosen, "--json")

    assert 0 == status
    assert [("ios", "fcm"), ("windows", "fcm")] == [(look["platform"], look["provider"]) for look in json.loads(out)["looks"]]
    status, _, err = pushkit("preview", "--title", "Hello", "--platform", "blackberry")
    assert 2 == status
    assert "no such platform: 'blackberry'; there are ios" in err


def test_no_command_shows_a_secret(project: Path, server, pushkit, canaries, leaks) -> None:
    """What is printed, whatever goes wrong: no token, no key, no text of the message."""
    token = server.device().token
    leaks.canaries = canaries.with_more(token, server.vapid.private_b64, *(server.apns_key.pem or "").splitlines()[1:-1])
    text = ("--title", canaries.title, "--body", canaries.body, "--data", f"a={canaries.data}")
    (project / "people.csv").write_text(
        f"token,ref\n{token},user-1\n{canaries.device_token},user-2\n{canaries.registration_token},user-3\nnot hex {canaries.auth},user-4\n"
    )
    with sqlite3.connect(project / "people.db") as connection:
        connection.execute("CREATE TABLE people (token TEXT, ref TEXT)")
        connection.execute("INSERT INTO people VALUES (?, 'user-1')", (token,))
    connection.close()
    server.behaviour.to(token).next().answer("TooManyRequests")
    for command in (
        ("send", "--apns", token, *text),
        ("send", "--apns", token, *text, "--json"),
        ("send", "--apns", canaries.registration_token, *text),
        ("send", "--fcm", token + " ", *text, "--json"),
        ("broadcast", "--to", "people.csv", "--result", "r.jsonl", *text),
        ("broadcast", "--to", "people.csv", "--result", "r.jsonl", *text, "--json"),
        ("broadcast", "--to", f"nonsense://user:{canaries.access_token}@host/db", "--query", "q", "--result", "r", *text),
        ("broadcast", "--to", "sqlite:///people.db", "--query", f"SELECT '{canaries.device_token}' FROM nowhere", "--result", "r2", *text),
        ("broadcast", "--to", "sqlite:///people.db", "--query", "SELECT token, ref FROM people ORDER BY ref", "--result", "r3", *text),
        ("report", "r.jsonl", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("send", "--topic", "x", "--set", f"fcm.access_token={canaries.access_token}"),
    ):
        _, out, err = pushkit(*command)
        leaks.see_text(f"{command[0]}'s output", out + err)
    leaks.see_text("the result file", (project / "r.jsonl").read_text())
