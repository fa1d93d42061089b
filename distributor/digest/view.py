"""A digest as JSON: what `digest show --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from distributor.digest.model import Digest, Item, ReaderWarning
from distributor.digest.plain import block_text, inline_text
from distributor.digest.publishable import HoldReason

_MICROSECONDS_PER_MILLISECOND = 1000


def as_json(
    digest: Digest,
    file: str,
    reasons: Sequence[HoldReason],
    warnings: Sequence[ReaderWarning],
) -> dict[str, object]:
    """The digest read from `file`, with the verdict on it; ready for `json.dumps`."""
    return {
        "file": file,
        "revision": digest.revision,
        "title": digest.title,
        "date": iso_date(digest.date) if digest.date else None,
        "language": digest.language,
        "categories": list(digest.categories),
        "intro": block_text(digest.intro),
        "sections": list(digest.sections),
        "items": [_item(item) for item in digest.items],
        "commentary": block_text(digest.commentary) or None,
        "publishable": not reasons,
        "reasons": [{"code": r.code, "message": r.message} for r in reasons],
        "warnings": [{"code": w.code, "message": w.message} for w in warnings],
    }


def iso_date(moment: datetime) -> str:
    """ISO 8601, with as many digits of a second as the edition gave."""
    is_milliseconds = moment.microsecond % _MICROSECONDS_PER_MILLISECOND == 0
    has_fraction = moment.microsecond != 0
    return moment.isoformat(timespec="milliseconds" if has_fraction and is_milliseconds else "auto")


def _item(item: Item) -> dict[str, object]:
    return {
        "number": item.number,
        "title": inline_text(item.title),
        "url": item.url,
        "text": block_text(item.body),
        "section": item.section,
    }
