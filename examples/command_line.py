"""A broadcast from the command line, as a shell script would do it: configure, doctor, broadcast, report, explain."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from pushkit.testing import PushServer

CONFIGURATION = """
[apns]
topic = "{topic}"
key_file = "key.p8"
key_id = "{key_id}"
team_id = "{team_id}"
origin = "{origin}"                # leave this out to send through Apple

[client]
ca_file = "ca.pem"                 # ... and this
"""


def pushkit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    print(f"\n$ python -m pushkit {' '.join(arguments)}")
    done = subprocess.run([sys.executable, "-m", "pushkit", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    print(done.stdout or done.stderr, end="")
    return done


def main() -> None:
    with PushServer(known_only=True) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = server.apns_key
        (folder / "key.p8").write_text(key.pem or "")
        (folder / "key.p8").chmod(0o600)
        server.write_ca(folder / "ca.pem")
        (folder / "pushkit.toml").write_text(
            CONFIGURATION.format(topic=server.bundle_id, key_id=key.key_id, team_id=key.team_id, origin=server.origin("apns"))
        )
        people = [server.device(ref=f"user-{number}") for number in range(200)]
        for gone in people[::40]:
            server.unregister(gone)
        (folder / "people.csv").write_text("token,ref\n" + "".join(f"{person.token},{person.ref}\n" for person in people))
        (folder / "sale.toml").write_text(
            'title = "The sale has begun"\nbody = "Half price until Sunday."\nlabel = "autumn-sale"\nttl = 86400\n'
        )

        pushkit(folder, "doctor")
        broadcast = ("broadcast", "--to", "people.csv", "--message", "sale.toml", "--result", "sale.jsonl")
        assert pushkit(folder, *broadcast).returncode == 0
        again = pushkit(folder, *broadcast, "--json")  # nobody gets it twice
        assert json.loads(again.stdout)["sent"] == 0
        pushkit(folder, "report", "sale.jsonl", "--markdown")
        pushkit(folder, "explain", "apns", "410", "Unregistered")
        assert len([record for record in server.sent if record.accepted]) == 195


if __name__ == "__main__":
    main()
