from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.platforms import Platforms, platforms


@pytest.fixture(scope="session")
def running_platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    with platforms(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(running_platforms: Platforms) -> Platforms:
    """The sandbox, well-behaved and with nothing received."""
    running_platforms.behave()
    running_platforms.forget()
    return running_platforms


@pytest.fixture
def base_url(sandbox: Platforms) -> str:
    """Where group robots post to."""
    return sandbox.environment["DISTRIBUTOR_ACCOUNTS_ROBOT_BASE_URL"]
