"""
What ``serve --state FILE`` keeps: credentials, recipients, channels and the latest records.

A JSON file that only its owner can read: it holds the throw-away keys and what was pushed **in plain
text**. The CA's key is not in it: that never leaves memory, so a restarted server has a new certificate.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pushkit.testing.accounts import ApnsKey, ServiceAccountKey, VapidPair, load_p256
from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Connection, Request
from pushkit.testing.receivers import Receiver
from pushkit.testing.services.world import Known

if TYPE_CHECKING:
    from pushkit.testing.inbox import SentRecord
    from pushkit.testing.server.push_server import PushServer

VERSION = 1
RECORDS = 1000
"""Records kept in the file."""

_PKCS8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class StateError(ValueError):
    """A state file that is none, or of another version."""


_BROKEN = (KeyError, TypeError, AttributeError, ValueError, RecursionError)
"""What somebody else's JSON, or one edited by hand, runs into."""


def save(server: PushServer, path: Path) -> None:
    """
    Write the state, all or nothing.

    Raises:
        OSError: when it cannot be written.
    """
    text = json.dumps(dump_state(server), separators=(",", ":"))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(server: PushServer, path: Path) -> None:
    """
    Read a state into a server that does not run yet; a file that is not there is an empty state.

    Raises:
        StateError: when the file holds something else.
    """
    if not path.exists():
        return
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["version"] != VERSION:
            raise StateError(f"{path}: this state is of version {data['version']!r}, expected {VERSION}; move it away to start anew")
        restore(server, data)
    except _BROKEN as error:
        raise _no_state(path, error) from None


def dump_state(server: PushServer) -> dict[str, Any]:
    """Everything worth keeping, as JSON values."""
    world, key, account, vapid = server.world, server.apns_key, server.service_account, server.vapid
    records = list(world.inbox)[-RECORDS:]
    return {
        "version": VERSION,
        "ports": {name: server.port(name).number for name in server.ports},
        "apns": {"key_id": key.key_id, "team_id": key.team_id, "pem": key.pem},
        "fcm": {"email": account.email, "project_id": account.project_id, "key_id": account.key_id, "pem": account.pem},
        "vapid": {"pem": vapid.pem, "public": vapid.public_b64, "private": vapid.private_b64},
        "recipients": [[provider, _portable(server, key), _known(known)] for (provider, key), known in list(world.recipients.items())],
        "channels": [[*channel, policy] for channel, policy in list(world.channels.items())],
        "records": [_record(server, record) for record in records],
    }


def restore(server: PushServer, data: dict[str, Any]) -> None:
    """Put the values of ``dump_state`` back."""
    accounts, world = server.world.accounts, server.world
    apns, fcm, vapid = data["apns"], data["fcm"], data["vapid"]
    key = ApnsKey(apns["key_id"], apns["team_id"], load_p256(apns["pem"]), apns["pem"])
    private = serialization.load_pem_private_key(fcm["pem"].encode(), password=None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise StateError("the service account's key in the state is no RSA key")
    account = ServiceAccountKey(fcm["email"], fcm["project_id"], fcm["key_id"], private.public_key(), fcm["pem"])
    accounts.apns_keys[key.key_id] = key
    accounts.service_accounts[account.email] = account
    server.adopt(key, account, VapidPair(vapid["pem"], vapid["public"], vapid["private"]))
    if not all(isinstance(number, int) and 0 <= number < 65536 for number in data["ports"].values()):
        raise ValueError("a port number")
    server.prefer_ports(data["ports"])
    server.restored = [(provider, name, _known_from(fields)) for provider, name, fields in data["recipients"]]
    world.channels = {(app, environment, channel): policy for app, environment, channel, policy in data["channels"]}
    server.restored_records = data["records"]


def finish(server: PushServer, path: Path) -> None:
    """
    After the start, when the ports are known: recipients with endpoints, and the records.

    Raises:
        StateError: when ``path``, which ``load`` read, holds something else there.
    """
    try:
        for provider, key, known in server.restored:
            server.world.recipients[provider, _local(server, key)] = known
        for item in server.restored_records:
            _replay(server, item)
    except _BROKEN as error:
        raise _no_state(path, error) from None
    server.restored, server.restored_records = [], []


def _no_state(path: Path, error: Exception) -> StateError:
    if isinstance(error, StateError):
        return error
    return StateError(f"{path}: this is no state of the push services ({type(error).__name__}); move it away to start anew")


def _portable(server: PushServer, key: str) -> str:
    # Endpoints name their service instead of a port, which may be another one after a restart.
    for name, site in server.world.sites.webpush.items():
        if key.startswith(site):
            return f"{name}:{key[len(site) :]}"
    return key


def _local(server: PushServer, key: str) -> str:
    name, colon, path = key.partition(":")
    site = server.world.sites.webpush.get(name)
    return f"{site}{path}" if colon and site is not None and path.startswith("/") else key


def _known(known: Known) -> dict[str, Any]:
    receiver = known.receiver
    return {
        "registered": known.registered,
        "since": known.since,
        "topic": known.topic,
        "environment": known.environment,
        "project_id": known.project_id,
        "topics": sorted(known.topics),
        "receiver": None
        if receiver is None
        else {
            "private": receiver.private.private_bytes(*_PKCS8).decode("ascii"),
            "auth": _text(receiver.auth),
            "bound_to": None if receiver.bound_to is None else _text(receiver.bound_to),
        },
    }


def _known_from(fields: dict[str, Any]) -> Known:
    stored = fields["receiver"]
    receiver = None
    if stored is not None:
        private = serialization.load_pem_private_key(stored["private"].encode(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise StateError("a subscription's key in the state is no EC key")
        public = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        bound = stored["bound_to"]
        receiver = Receiver(private, public, _bytes(stored["auth"]), None if bound is None else _bytes(bound))
    return Known(
        registered=fields["registered"],
        since=fields["since"],
        topic=fields["topic"],
        environment=fields["environment"],
        project_id=fields["project_id"],
        receiver=receiver,
        topics=set(fields["topics"]),
    )


def _record(server: PushServer, record: SentRecord) -> dict[str, Any]:
    answer, request = record.answer, record.request
    return {
        "provider": record.provider,
        "service": record.service,
        "key": _portable(server, record.address.key),
        "time": record.time,
        "fault": record.fault,
        "message_id": record.message_id,
        "request": {
            "method": request.method,
            "authority": request.authority,
            "target": request.target,
            "fields": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in request.fields if n != b"authorization"],
            "body": _text(request.body),
        },
        "answer": None
        if answer is None
        else {
            "status": answer.status,
            "word": answer.word,
            "fields": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in answer.fields],
            "body": _text(answer.body),
        },
    }


def _replay(server: PushServer, item: dict[str, Any]) -> None:
    asked, said = item["request"], item["answer"]
    request = Request(
        asked["method"],
        "https",
        asked["authority"],
        asked["target"],
        _fields(asked["fields"]),
        _bytes(asked["body"]),
        Connection(0, "earlier"),
    )
    answer = None
    if said is not None:
        answer = Answer(status=said["status"], fields=tuple(_fields(said["fields"])), body=_bytes(said["body"]), word=said["word"])
    address = Address(item["provider"], _local(server, item["key"]), item["service"])
    opener = server.opener_of(item["provider"], item["service"])
    server.world.inbox.add(address, request, item["time"], answer, item["fault"], item["message_id"], opener)


def _fields(pairs: list[list[str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
