from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.site import Site, site


@pytest.fixture
def here() -> Iterator[Site]:
    with site() as running:
        yield running
