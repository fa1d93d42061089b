"""What the pages and the snapshot show, gathered from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distributor.sandbox.email_view import Mail, read_mail
from distributor.sandbox.local_pictures import Pictures, no_pictures
from distributor.sandbox.neighbours_view import neighbour_post, platform_name
from distributor.sandbox.official_view import publication
from distributor.sandbox.store import Conversation, Platform, Received, Store
from distributor.sandbox.telegram_view import Bubble, bubble
from distributor.sandbox.wecom_view import Post, post, sender_name

MAILS_ON_A_PAGE = 50
#: Chats in the list beside a chat, and messages in a chat: the newest ones.
_CHATS = 100
_MESSAGES = 50
#: Messages of a chat on the overview, at most.
_OVERVIEW_MESSAGES = 12
#: A longer pause between two messages of a chat begins a new edition, in seconds.
_PAUSE_BETWEEN_EDITIONS = 5


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail with what its list entry says."""

    entry: Received
    mail: Mail


@dataclass(frozen=True, slots=True)
class Chat:
    """A Telegram chat."""

    name: str
    kind: str
    bubbles: tuple[Bubble, ...]
    #: Where it can be answered; empty where nobody is there to hear it.
    address: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group with its robot, or a member's chat with an app."""

    robot: str
    posts: tuple[Post, ...]
    name: str = "WeCom group"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in a list of chats."""

    name: str
    conversation: Conversation
    current: bool


def totals(store: Store) -> dict[str, int]:
    """How many messages of each platform were accepted."""
    return {platform.value: store.count(platform) for platform in Platform}


def overview(store: Store, pictures: Pictures = no_pictures) -> dict[str, object]:
    """The newest mail, and the Telegram chat and WeCom group that got something last."""
    mails = store.newest(Platform.SMTP)
    chats = store.conversations(Platform.TELEGRAM, 1)
    groups = store.conversations(Platform.WECOM, 1)
    return {
        "mail": mail_view(mails[0]) if mails else None,
        "chat": _latest_in_chat(store, chats[0].address) if chats else None,
        "group": _latest_in_group(store, groups[0].address, pictures) if groups else None,
    }


def mail_view(entry: Received) -> MailView:
    """One mail, read from its file."""
    return MailView(entry, read_mail(entry.file))


def chat_view(store: Store, wanted: str | None) -> dict[str, object]:
    """The list of chats and the wanted one, or the latest."""
    chats = store.conversations(Platform.TELEGRAM, _CHATS)
    address = wanted or (chats[0].address if chats else None)
    return {
        "chosen": wanted is not None,
        "entries": [Entry(_chat_name(c.latest), c, c.address == address) for c in chats],
        "chat": _chat(store.of_address(Platform.TELEGRAM, address, _MESSAGES)) if address else None,
    }


def group_view(
    store: Store, platform: Platform, wanted: str | None, pictures: Pictures
) -> dict[str, object]:
    """The list of robots of a platform and the wanted one's group, or the latest."""
    groups = store.conversations(platform, _CHATS)
    address = wanted or (groups[0].address if groups else None)
    return {
        "chosen": wanted is not None,
        "platform": platform_name(platform),
        "path": platform.value,
        "entries": [Entry(sender_name(g.address), g, g.address == address) for g in groups],
        "group": _group(address, store.of_address(platform, address, _MESSAGES), pictures)
        if address
        else None,
    }


def official_view(store: Store, wanted: int | None) -> dict[str, object]:
    """The list of articles, newest first, and the wanted one or the newest."""
    messages = store.newest(Platform.OFFICIAL, limit=_CHATS)
    chosen = store.get(Platform.OFFICIAL, wanted) if wanted is not None else None
    shown = chosen or (messages[0] if messages else None)
    return {
        "chosen": chosen is not None,
        "articles": [publication(message) for message in messages],
        "shown": publication(shown) if shown else None,
    }


def _latest_in_chat(store: Store, address: str) -> Chat | None:
    return _chat(_latest_edition(store, Platform.TELEGRAM, address))


def _latest_in_group(store: Store, address: str, pictures: Pictures) -> Group:
    return _group(address, _latest_edition(store, Platform.WECOM, address), pictures)


def _latest_edition(store: Store, platform: Platform, address: str) -> Sequence[Received]:
    """The last messages that came one right after the other, oldest first."""
    messages = store.of_address(platform, address, _OVERVIEW_MESSAGES)
    first = len(messages) - 1
    while first > 0 and _pause(messages[first - 1], messages[first]) <= _PAUSE_BETWEEN_EDITIONS:
        first -= 1
    return messages[max(first, 0) :]


def _pause(earlier: Received, later: Received) -> float:
    return (later.at - earlier.at).total_seconds()


def _chat(messages: Sequence[Received]) -> Chat | None:
    if not messages:
        return None
    by_id = {message.id: message for message in messages}
    bubbles = tuple(bubble(message, by_id) for message in messages)
    last = messages[-1]
    return Chat(_chat_name(last), last.content["chat"]["type"], bubbles, last.address)


def _group(address: str, messages: Sequence[Received], pictures: Pictures) -> Group:
    platform = messages[-1].platform
    shown = post if platform is Platform.WECOM else neighbour_post
    posts = tuple(shown(message, pictures) for message in messages)
    kind = "app" if address.startswith("app:") else "group"
    return Group(sender_name(address), posts, f"{platform_name(platform)} {kind}")


def _chat_name(message: Received) -> str:
    chat = message.content["chat"]
    return str(chat.get("title") or chat.get("first_name"))
