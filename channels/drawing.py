"""An edition as its pictures want it."""

from __future__ import annotations

from channels.base import Edition
from distributor.pictures import Subject


def subject_of(edition: Edition) -> Subject:
    """What pictures of `edition` are drawn of, in the light colours of the one look."""
    look = edition.templates.look["light"]
    return Subject(edition.digest, edition.publisher.name, edition.web_url, look)
