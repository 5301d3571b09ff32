"""TLS contexts: ours, the caller's, and client certificates whose key touches no shared disk."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from pushkit.errors import ConfigurationError
from pushkit.lru import LRU
from pushkit.wire import ClientCertificate

KEPT = 64
"""Contexts kept at the most: tenants come, go and renew their certificates; open connections hold their own."""


@contextmanager
def _lent_file(content: bytes) -> Generator[str]:
    """
    Lend a path under which OpenSSL can read octets once.

    Python's ssl loads certificates from paths only. On Linux the path is an anonymous file in memory;
    elsewhere a file that only this user can read, removed at once.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pushkit", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    descriptor, path = tempfile.mkstemp(prefix="pushkit-")  # mkstemp: mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield path
    finally:
        os.unlink(path)  # noqa: PTH108  # no other use of pathlib here


def load_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """
    Make a context show a client certificate.

    Raises:
        ConfigurationError: when chain and key are unreadable or do not belong together.
    """
    try:
        with _lent_file(certificate.chain.rstrip() + b"\n" + certificate.key) as path:
            # An encrypted key must not make OpenSSL ask on the terminal.
            context.load_cert_chain(path, password=lambda: b"")
    except (ssl.SSLError, ValueError, OSError) as exc:
        message = f"the client certificate cannot be used ({getattr(exc, 'reason', None) or type(exc).__name__}): expected a PEM chain and its unencrypted private key"
        raise ConfigurationError(message) from None


def _copy(context: ssl.SSLContext) -> ssl.SSLContext:
    """Copy a caller's context as far as ssl can: trust, verification, versions. Its own certificate cannot be read back."""
    copy = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    copy.check_hostname = False
    copy.verify_mode = context.verify_mode
    copy.check_hostname = context.check_hostname
    copy.minimum_version = context.minimum_version
    copy.maximum_version = context.maximum_version
    copy.verify_flags = context.verify_flags
    copy.options |= context.options
    authorities = context.get_ca_certs(binary_form=True)
    if authorities:
        copy.load_verify_locations(cadata=b"".join(authorities))
    else:
        copy.load_default_certs()
    return copy


class TlsContexts:
    """
    The contexts of one transport, made when first needed and kept.

    Args:
        context: the caller's own; used as it is, except that ALPN is set on it, and copied when a
            client certificate has to be shown.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._made: LRU[tuple[tuple[str, ...], ClientCertificate | None], ssl.SSLContext] = LRU(KEPT)

    def get(self, protocols: Sequence[str], certificate: ClientCertificate | None) -> ssl.SSLContext:
        """
        A context that offers these protocols and shows this certificate.

        Raises:
            ConfigurationError: when the certificate cannot be used.
        """
        if self._context is not None and certificate is None:
            # Shared with other origins: what it offers must not depend on which of them comes first.
            self._context.set_alpn_protocols(["h2", "http/1.1"])
            return self._context
        key = (tuple(protocols), certificate)
        made = self._made.get(key)
        if made is None:
            made = ssl.create_default_context() if self._context is None else _copy(self._context)
            made.minimum_version = max(made.minimum_version, ssl.TLSVersion.TLSv1_2)
            made.set_alpn_protocols(list(protocols))
            if certificate is not None:
                load_certificate(made, certificate)
            self._made.put(key, made)
        return made

    def clear(self) -> None:
        """Forget the contexts, and with them the keys."""
        self._made.clear()
