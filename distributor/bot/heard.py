"""What happened in a chat, in our own words."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import CallbackQuery, Chat, ChatMember, ChatMemberUpdated, Message, Update, User

_IS_IN = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER, ChatMember.RESTRICTED)


@dataclass(frozen=True, slots=True)
class Place:
    """A chat and the person in it who did something."""

    #: As subscribers' addresses are written.
    address: str
    #: What to call it.
    name: str
    is_private: bool
    is_channel: bool
    #: 0 where nobody is named.
    user_id: int
    #: The person's language as Telegram gives it, such as `zh-hans`; may be empty.
    language: str
    #: Whether it is an administrator who speaks for the whole group.
    is_anonymous_admin: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """`/name argument`."""

    place: Place
    #: In lower case, without the slash and the bot's name.
    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button below one of the bot's messages."""

    place: Place
    query_id: str
    message_id: int
    data: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The bot was let into a chat, or shut out of it."""

    place: Place
    is_in: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup and has another id now."""

    place: Place
    to: str


Heard = Command | Pressed | Admitted | Moved


def understand(update: Update, username: str) -> Heard | None:
    """What `update` tells the bot `username`; None when it is nothing to it."""
    if update.my_chat_member:
        return _admitted(update.my_chat_member)
    if update.callback_query:
        return _pressed(update.callback_query)
    if update.message:
        return _said(update.message, username)
    return None


def _said(message: Message, username: str) -> Heard | None:
    place = _place(message.chat, message.from_user, message.sender_chat)
    if message.migrate_to_chat_id:
        return Moved(place, str(message.migrate_to_chat_id))
    word, _, argument = (message.text or "").strip().partition(" ")
    if not word.startswith("/"):
        # Whoever writes to the bot gets help; talk in a group is none of its business.
        return Command(place, "help", "") if place.is_private and message.text else None
    name, _, addressee = word[1:].partition("@")
    if addressee and addressee.lower() != username.lower():
        return None
    return Command(place, name.lower(), argument.strip())


def _pressed(query: CallbackQuery) -> Pressed | None:
    if query.message is None or query.data is None:
        return None
    place = _place(query.message.chat, query.from_user, None)
    return Pressed(place, query.id, query.message.message_id, query.data)


def _admitted(change: ChatMemberUpdated) -> Admitted:
    place = _place(change.chat, change.from_user, None)
    now = change.new_chat_member
    is_in = now.status in _IS_IN
    if place.is_channel:
        is_in = now.status == ChatMember.ADMINISTRATOR and bool(
            getattr(now, "can_post_messages", False)
        )
    return Admitted(place, is_in)


def _place(chat: Chat, user: User | None, speaks_for: Chat | None) -> Place:
    return Place(
        address=str(chat.id),
        name=chat.title or chat.full_name or (user.full_name if user else ""),
        is_private=chat.type == Chat.PRIVATE,
        is_channel=chat.type == Chat.CHANNEL,
        user_id=user.id if user else 0,
        language=(user.language_code or "") if user else "",
        is_anonymous_admin=speaks_for is not None and speaks_for.id == chat.id,
    )
