"""TLS contexts of a transport: how many are kept."""

from __future__ import annotations

import pytest
from tests.server.http.conftest import make_pki

from pushkit.http.tls import TlsContexts
from pushkit.wire import ClientCertificate


def test_certificates_that_come_and_go_are_not_kept(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tenants renew their certificates, the contexts (and the keys in them) are bounded."""
    monkeypatch.setattr("pushkit.http.tls.KEPT", 3, raising=False)
    pki = make_pki(tmp_path_factory.mktemp("tls"))
    contexts = TlsContexts()
    for number in range(5):
        contexts.get(("h2",), ClientCertificate(chain=pki.client_chain + b"\n" * number, key=pki.client_key))

    assert 3 == len(contexts._made)
