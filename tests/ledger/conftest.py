from __future__ import annotations

import pytest

from distributor.ledger.database import Ledger
from tests.ledger.desk import Desk
from tests.ledger.scene import Scene


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    return Scene(ledger)


@pytest.fixture
def desk(scene: Scene) -> Desk:
    return Desk(scene)
