"""Whom a source may reach."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from distributor.digest.sources.model import SourceUnreachable
from distributor.digest.sources.network import Line, addresses_of, is_public


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "8.8.8.8"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
    ],
)
def test_addresses_that_lead_anywhere_else_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost"])
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(SourceUnreachable, match=r"no address of the public .* allow_private"):
        addresses_of(host, 80, allow_private=False)


def test_private_addresses_can_be_allowed() -> None:
    assert "127.0.0.1" in addresses_of("localhost", 80, allow_private=True)


def test_a_name_with_one_private_address_among_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers("8.8.8.8", "10.0.0.1"))

    with pytest.raises(SourceUnreachable, match=r"news\.example leads to 10\.0\.0\.1"):
        addresses_of("news.example", 80, allow_private=False)


def test_a_name_that_leads_nowhere_is_one_line() -> None:
    with pytest.raises(SourceUnreachable, match=r"the name nowhere\.invalid leads nowhere"):
        addresses_of("nowhere.invalid", 80, allow_private=False)


def test_a_name_is_asked_once_and_the_connection_goes_to_what_it_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that answers differently the second time gains nothing: DNS rebinding."""
    said = iter(["8.8.8.8", "127.0.0.1"])
    reached: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], _timeout: float) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers(next(said)))
    monkeypatch.setattr(socket, "create_connection", connect)

    with (
        Line(seconds=60, allow_private=False) as line,
        pytest.raises(SourceUnreachable, match=r"rebind\.example cannot be reached: Connection"),
    ):
        line.connect("rebind.example", 80)

    assert reached == [("8.8.8.8", 80)]
    assert next(said) == "127.0.0.1"


def test_a_connection_that_stands_only_after_the_time_is_up_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = socket.socketpair()

    def connect(_address: tuple[str, int], _timeout: float) -> socket.socket:
        Alarm.last.ring()
        return here

    monkeypatch.setattr(threading, "Timer", Alarm)
    monkeypatch.setattr(socket, "create_connection", connect)
    there.settimeout(30)

    with here, there, Line(seconds=60, allow_private=True) as line:
        line.connect("127.0.0.1", 80)

        assert there.recv(1) == b""


class Alarm:
    """A timer that goes off when a test says so."""

    last: ClassVar[Alarm]

    def __init__(self, _seconds: float, ring: Callable[[], None]) -> None:
        self.ring = ring
        Alarm.last = self

    def start(self) -> None:
        pass

    cancel = join = start


def answers(*addresses: str) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in addresses]
