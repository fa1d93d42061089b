from __future__ import annotations

from channels.base import Publisher
from distributor.operations.roster import Roster
from distributor.templating import Templates
from distributor.web.app import create_app
from tests.web.conftest import METRICS, SECRET, Site


def test_they_are_served_as_prometheus_reads_them(site: Site) -> None:
    answer = site.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text == METRICS


def test_they_are_not_there_when_switched_off(site: Site) -> None:
    site.app = create_app(
        site.ledger,
        Templates(),
        Publisher("X"),
        SECRET,
        look=lambda: Roster(True),
        remark=lambda _send: (),
    )
    assert site.get("/metrics").status_code == 404
