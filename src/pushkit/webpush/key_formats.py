"""
Reading a VAPID private key in every form that people have, and naming what is none.

Forms: 32 octets (raw or base64), PEM (PKCS#8, SEC1), DER, JWK, the JSON of the npm package web-push, a key object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pushkit.errors import ConfigurationError
from pushkit.webpush.encoding import unb64

SCALAR = 32
"""Octets of a private key."""
POINT = 65
"""Octets of a public key, uncompressed."""
FORMATS = (
    "expected a P-256 private key: the 32 octets as base64url (as web-push and browsers' tools print it), PEM, DER, a JWK, "
    "or a cryptography key object"
)
_HEX = re.compile(rb"[0-9a-fA-F]{64}")
_PEM = re.compile(rb"-----BEGIN ((?:EC |ENCRYPTED )?PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


def read(source: Any, password: bytes | None) -> tuple[Any, str | bytes | None]:
    """
    The private key (32 octets, or a ``cryptography`` key of any kind), and the public one where the source states it.

    Raises:
        ConfigurationError: when it is no key. Its text never quotes what was given.
    """
    if isinstance(source, Mapping):
        return _read_mapping(cast("Mapping[str, Any]", source))
    if isinstance(source, (bytes, bytearray)):
        return _read_octets(bytes(source), password)
    if isinstance(source, str):
        return _read_octets(source.encode("utf-8", "surrogatepass"), password)
    if hasattr(source, "private_numbers"):
        return source, None
    raise ConfigurationError(f"found a {type(source).__name__}; {FORMATS}")


def _read_octets(source: bytes, password: bytes | None) -> tuple[Any, str | bytes | None]:
    # 32 octets of plain text are a text that was cut or is something else: a random key is never all printable.
    if len(source) == SCALAR and not (source.isascii() and source.decode("ascii").isprintable()):
        return source, None
    if source[:1] == b"\x30" and not source.isascii():  # a DER sequence, not a text that begins with "0"
        return _load(source, password, pem=False), None
    text = source.strip().removeprefix(b"\xef\xbb\xbf")
    if b"-----BEGIN " in text:
        return _read_pem(text.replace(b"\\n", b"\n"), password), None
    if text[:1] == b"{":
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise ConfigurationError(f"found text that begins like JSON but is none; {FORMATS}") from None
        return _read_mapping(value)
    raw = unb64(text)
    if raw is not None and len(raw) == SCALAR:
        return raw, None
    if raw is not None and raw[:1] == b"\x30" and not _HEX.fullmatch(text):
        return _load(raw, password, pem=False), None
    raise ConfigurationError(f"found {_what_it_looks_like(text, raw)}; {FORMATS}")


def _what_it_looks_like(text: bytes, raw: bytes | None) -> str:
    if not text:
        return "nothing (is the environment variable set?)"
    if raw is not None and len(raw) == POINT and raw[0] == 4:
        return "the public key; the private one is needed here (43 characters in base64url)"
    shown = text.decode("utf-8", "replace")
    if _HEX.fullmatch(text):
        return "64 hexadecimal digits; convert them with bytes.fromhex(...) if they are the private key"
    looks_like_path = "\n" not in shown and ("/" in shown or "\\" in shown or shown.endswith((".pem", ".key", ".der", ".json", ".txt")))
    if looks_like_path and len(shown) < 1024:
        exists = Path(shown).is_file() if "\x00" not in shown else False
        if exists or shown.endswith((".pem", ".key", ".der", ".json", ".txt")):
            return "what looks like the path of a file" + (
                "; read it with VapidKey.from_file(...)" if exists else " that does not exist; read files with VapidKey.from_file(...)"
            )
    if raw is None:
        return f"{len(shown)} characters that are no base64, PEM or JSON"
    return f"base64 of {len(raw)} octets"


def _read_pem(text: bytes, password: bytes | None) -> Any:
    block = _PEM.search(text)
    if block is None:
        label = text.split(b"-----BEGIN ", 1)[1].split(b"-----", 1)[0].decode("ascii", "replace")[:40]
        hint = "; the private key is needed" if "PUBLIC" in label or "CERT" in label else "; is the end of the file missing?"
        raise ConfigurationError(f"found a PEM block {label!r}{hint}; {FORMATS}")
    return _load(block.group(0), password, pem=True)


def _load(data: bytes, password: bytes | None, *, pem: bool) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    form = "PEM" if pem else "DER"
    try:
        return load(data, password)
    except TypeError:
        need = "is encrypted; pass password=" if password is None else "is not encrypted; leave password= out"
        raise ConfigurationError(f"the {form} key {need}") from None
    except (ValueError, UnsupportedAlgorithm):
        # The cause's text may quote the key.
        wrong = "the password is wrong or the data are damaged" if password is not None else "the data are damaged, or hold no private key"
        raise ConfigurationError(f"the {form} key cannot be read: {wrong}; {FORMATS}") from None


def _read_mapping(value: Any) -> tuple[Any, str | bytes | None]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"found JSON that is no object; {FORMATS}")
    fields = cast("Mapping[str, Any]", value)
    if "kty" in fields:
        return _read_jwk(fields)
    for private, public in (("privateKey", "publicKey"), ("private_key", "public_key")):
        if isinstance(fields.get(private), str):
            key, stated = _read_octets(fields[private].encode("utf-8", "surrogatepass"), None)
            given = fields.get(public)
            return key, stated if given is None else given
    raise ConfigurationError(f'found an object without "kty" (a JWK) and without "privateKey"; {FORMATS}')


def _read_jwk(fields: Mapping[str, Any]) -> tuple[bytes, bytes | None]:
    if fields.get("kty") != "EC" or fields.get("crv") != "P-256":
        raise ConfigurationError('found a JWK of another kind; expected "kty": "EC" and "crv": "P-256"')
    parts = {name: unb64(fields[name]) if isinstance(fields.get(name), str) else None for name in ("d", "x", "y")}
    secret, x, y = parts["d"], parts["x"], parts["y"]
    if secret is None or len(secret) != SCALAR:
        raise ConfigurationError('found a JWK without a private part; expected "d", base64url of 32 octets (was the public key exported?)')
    if x is None or y is None:
        return secret, None
    return secret, b"\x04" + x.rjust(SCALAR, b"\x00") + y.rjust(SCALAR, b"\x00")
