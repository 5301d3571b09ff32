"""Which addresses are dialled, and in which order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from pushkit.http.dialer import ADDRESSES_TRIED, connect_tcp, dns, resolve, spread
from pushkit.http.http2.pool import DialError
from pushkit.wire import FaultKind, OriginPolicy


def test_the_least_used_address_comes_first() -> None:
    """Connections spread over the addresses of a name."""
    addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]

    for _ in range(20):
        assert "10.0.0.2" == spread(addresses, ["10.0.0.1", "10.0.0.3", "10.0.0.1"])[0]
    assert set(addresses) == {spread(addresses, [])[0] for _ in range(200)}


def test_families_take_turns() -> None:
    """DNS says which family comes first, and the other one is next, so that a broken one costs little."""
    ordered = spread(["fe80::1", "fe80::2", "10.0.0.1", "10.0.0.2"], [])

    assert [True, False, True, False] == [":" in address for address in ordered]


def test_many_addresses_are_cut() -> None:
    """No more than a few addresses are tried."""
    assert ADDRESSES_TRIED == len(spread([f"10.0.0.{number}" for number in range(50)], []))


def test_a_literal_needs_no_lookup() -> None:
    """An address is its own answer, and is checked like any other."""

    async def never(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    async def main() -> None:
        assert ["127.0.0.1"] == await resolve("127.0.0.1", 443, OriginPolicy(), never)
        with pytest.raises(DialError) as caught:
            await resolve("127.0.0.1", 443, OriginPolicy(check_address=lambda host, address: False), never)
        assert FaultKind.ADDRESS_REFUSED is caught.value.kind

    asyncio.run(main())


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 80 + ".test", "x..y"])
def test_a_name_without_address(host: str) -> None:
    """A name that leads nowhere, or is none, is CONNECT_FAILED."""

    async def lookup(name: str, port: int) -> Sequence[str]:
        if name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return await dns(name, port)  # both others fail before anything is asked

    async def main() -> None:
        with pytest.raises(DialError) as caught:
            await resolve(host, 443, OriginPolicy(), lookup)
        assert FaultKind.CONNECT_FAILED is caught.value.kind

    asyncio.run(main())


def test_an_answer_without_addresses() -> None:
    """A resolver of the caller's that finds nothing is CONNECT_FAILED."""

    async def nothing(host: str, port: int) -> list[str]:
        return []

    async def main() -> None:
        with pytest.raises(DialError) as caught:
            await resolve("push.test", 443, OriginPolicy(), nothing)
        assert FaultKind.CONNECT_FAILED is caught.value.kind

    asyncio.run(main())


def test_a_slow_address_does_not_hold_up_the_next() -> None:
    """The next address is tried beside one that does not answer, and the loser's socket is closed."""

    async def main() -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_server(("127.0.0.3", listener.getsockname()[1]), backlog=0) as deaf,
        ):
            full = [socket.socket() for _ in range(4)]  # they fill its queue: the next one waits
            for one in full:
                one.setblocking(False)
                one.connect_ex(deaf.getsockname())
            async with asyncio.timeout(30):  # one after the other, it would wait for minutes
                sock, address = await connect_tcp(["127.0.0.3", "127.0.0.1"], listener.getsockname()[1])
            sock.close()
            for one in full:
                one.close()

        assert "127.0.0.1" == address

    asyncio.run(main())


def test_all_addresses_fail() -> None:
    """The last failure is raised when there is no address left."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            await connect_tcp(["127.0.0.1", "127.0.0.2"], port)

    asyncio.run(main())
