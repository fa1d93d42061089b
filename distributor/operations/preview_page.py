"""The page beside the previewed files: what readers of each channel would see.

The sandbox knows how the platforms show a message, so that the page borrows its views.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels.base import Edition
from channels.drawing import subject_of
from distributor.digest.publishable import HoldReason
from distributor.pictures import draw
from distributor.sandbox.email_view import Mail, parse_mail, picture_url
from distributor.sandbox.local_pictures import Pictures
from distributor.sandbox.store import Platform, Received
from distributor.sandbox.telegram_rules import TEXT_LIMIT, FormattedText, Refusal, format_text
from distributor.sandbox.telegram_view import Bubble, bubble
from distributor.sandbox.views import Chat, Group, MailView
from distributor.sandbox.wecom_view import Post, post


@dataclass(frozen=True, slots=True)
class File:
    """One written file, for the list at the end of the page."""

    name: str
    size: int
    what: str


#: Those that have a place on the page even when there is nothing to show.
CHANNELS = ("email", "telegram", "wechat")

_WHAT = {
    "email.eml": "the whole message, for a mail program",
    "email.html": "its HTML part",
    "email.txt": "its text part",
    "telegram.json": "the Bot API calls in order",
    "wechat-robot.json": "the group robot's messages in order",
    "wechat-app.json": "the WeCom app's messages in order",
    "wechat-official.json": "the steps to the Official Account's article",
    "wechat-article.html": "the article for an Official Account",
    "wechat-copy.html": "the article with a button that copies it, to paste by hand",
    "feishu.json": "the Feishu robot's cards in order",
    "dingtalk.json": "the DingTalk robot's messages in order",
    "cover.png": "the article's cover",
    "thumb.png": "the square picture",
    "card.png": "the large picture of a WeCom card",
    "wide.png": "the picture in 16:9",
    "poster.png": "the poster to share, with a QR code",
}


def render(
    edition: Edition,
    reasons: Sequence[HoldReason],
    warnings: Sequence[tuple[str, str]],
    files: Mapping[str, bytes],
) -> str:
    """The page about `files`. It runs nothing and loads nothing; it only links to the files."""
    digest = edition.digest
    at = digest.date or datetime.now(UTC)
    article = files.get("wechat-article.html", b"").decode()
    return edition.templates.render(
        "web/preview.html.j2",
        digest=digest,
        reasons=reasons,
        warnings=[*(("reader", w.message) for w in digest.warnings), *warnings],
        mail=_letter(files["email.eml"], at) if "email.eml" in files else None,
        chat=_chat(edition.publisher.name, _listed(files, "telegram.json"), at),
        group=_group(_listed(files, "wechat-robot.json"), at, _pictures_of(edition)),
        article=Mail((), "", article).framed() if article else "",
        cover=picture_url(files["cover.png"], "image/png") if "cover.png" in files else "",
        files=[File(name, len(files[name]), _WHAT.get(name, "")) for name in files],
    )


def _listed(files: Mapping[str, bytes], name: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = json.loads(files.get(name, b"[]"))
    return messages


def _letter(raw: bytes, at: datetime) -> MailView:
    mail = parse_mail(raw)
    headers = {name.lower(): value for name, value in mail.headers}
    content = {"from": headers["from"], "size": len(raw)}
    entry = Received(Platform.SMTP, headers["to"], headers["subject"], content, at=at)
    return MailView(entry, mail)


def _chat(name: str, calls: Sequence[Mapping[str, Any]], at: datetime) -> Chat | None:
    return Chat(name, "channel", tuple(_bubble(call, at) for call in calls)) if calls else None


def _bubble(call: Mapping[str, Any], at: datetime) -> Bubble:
    """The message as Telegram would show it, or what it would refuse it for."""
    try:
        shown = format_text(call["text"], call.get("parse_mode", ""), limit=TEXT_LIMIT)
    except Refusal as refusal:
        shown = FormattedText(call["text"], (), (f"Telegram would refuse this: {refusal}",))
    content = {**call, "text": shown.text, "entities": [e.as_json() for e in shown.entities]}
    received = Received(Platform.TELEGRAM, "", "", content, warnings=shown.warnings, at=at)
    return bubble(received, {})


def _group(bodies: Sequence[Mapping[str, Any]], at: datetime, pictures: Pictures) -> Group | None:
    return Group("Robot", tuple(_post(body, at, pictures) for body in bodies)) if bodies else None


def _post(body: Mapping[str, Any], at: datetime, pictures: Pictures) -> Post:
    return post(Received(Platform.WECOM, "", "", body, at=at), pictures)


def _pictures_of(edition: Edition) -> Pictures:
    """The pictures that the web edition would serve, drawn here."""
    subject = subject_of(edition)

    def shown(url: str) -> str:
        if not url.startswith(f"{edition.web_url}/"):
            return ""
        return picture_url(draw(url.rpartition("/")[2], subject), "image/png")

    return shown
