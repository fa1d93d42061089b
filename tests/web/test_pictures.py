"""The pictures that cards show stand at public addresses below the edition's own."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.web.conftest import CHINESE, Site


@pytest.mark.parametrize(
    ("name", "size"),
    [("card.png", (1068, 455)), ("story-2.png", (1068, 455)), ("tile-2.png", (300, 300))],
)
def test_a_picture_of_the_edition_is_served(site: Site, name: str, size: tuple[int, int]) -> None:
    answer = site.get(f"/editions/{site.keep(CHINESE)[:16]}/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == size


def test_a_picture_that_the_reader_has_is_not_sent_again(site: Site) -> None:
    path = f"/editions/{site.keep(CHINESE)}/tile-1.png"
    etag = site.get(path).headers["etag"]
    assert site.get(path, **{"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("name", ["story-3.png", "other.png", "cover.jpg", "tile-0.png", "%2e%2e"])
def test_a_picture_that_is_not_there_is_not_found(site: Site, name: str) -> None:
    assert site.get(f"/editions/{site.keep(CHINESE)}/{name}").status_code == 404
    assert site.get(f"/editions/{'0' * 16}/card.png").status_code == 404
