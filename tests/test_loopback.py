"""A proxy in the environment is for the world outside, not for this machine."""

from __future__ import annotations

import httpx
import pytest
import requests

from distributor.loopback import bypass_proxies

#: Nothing listens on the discard port.
_DEAD = "http://127.0.0.1:9"


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a company network, as it was again afterwards."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, _DEAD)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    return monkeypatch


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_clients_reach_this_machine_without_the_proxy(host: str) -> None:
    bypass_proxies()

    url = f"http://{host}:8025/"
    assert not requests.utils.get_environ_proxies(url)
    with httpx.Client() as client:
        transport = client._transport_for_url(httpx.URL(url))
        assert transport is client._transport


@pytest.mark.usefixtures("environ")
def test_the_world_is_still_reached_through_it() -> None:
    bypass_proxies()

    assert requests.utils.get_environ_proxies("https://api.example.org/")["https"] == _DEAD


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "intranet, 10.0.0.1"}, "intranet,10.0.0.1,localhost,127.0.0.1,::1"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, "a,localhost,127.0.0.1,::1"),
        ({"no_proxy": "::1,localhost"}, "::1,localhost,127.0.0.1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_what_was_excepted_stays_excepted(before: dict[str, str], after: str) -> None:
    environ = dict(before)

    bypass_proxies(environ)

    assert environ["no_proxy"] == after
