from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.platforms import Platforms, platforms


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    with platforms(tmp_path_factory.mktemp("platforms")) as running:
        yield running


@pytest.fixture
def robots_url(sandbox: Platforms) -> str:
    """Where group robots post to, with nothing there yet."""
    sandbox.behave()
    sandbox.forget()
    return sandbox.environment["DISTRIBUTOR_ACCOUNTS_ROBOT_BASE_URL"]
