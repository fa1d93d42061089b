"""What a delivery knows of the one before it, seen by what is pinned in a chat."""

from __future__ import annotations

from pathlib import Path

from distributor.ledger.database import Ledger
from tests.support.service import edition, service


def test_a_pinned_post_takes_the_place_of_the_one_before(
    tmp_path: Path, sqlite_ledger: Ledger
) -> None:
    with service(tmp_path, sqlite_ledger, DISTRIBUTOR_ACCOUNTS_BOT_PIN="true") as shop:
        shop.subscribe("telegram", "@a_channel", "-100200")
        for source in (edition(items=9, words=400), edition(items=3)):
            shop.deliver(shop.start_and_plan(source))
        for chat in ("@a_channel", "-100200"):
            posts = [m["body"] for m in shop.platforms.received("telegram") if m["address"] == chat]
            pinned = [bool(post.get("pinned")) for post in posts]
            assert len(posts) > 2
            assert pinned == [*[False] * (len(posts) - 1), True]
