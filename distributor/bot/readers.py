"""What subscribers ask of the bot: to come, to go, to choose, and to see the latest edition."""

from __future__ import annotations

from channels.telegram import CHANNEL
from channels.telegram.account import TelegramAccount
from channels.telegram.buttons import list_of_payload
from distributor.audience import lists, subscribers, suppressions
from distributor.audience.errors import UnknownList, UnknownSubscriber
from distributor.audience.memberships import LeftBy
from distributor.audience.subscribers import SubscriberDetail
from distributor.bot.answers import Answer, Choice, LatestEdition, Reaction
from distributor.bot.heard import Place
from distributor.bot.words import LANGUAGES, Words, words_for
from distributor.engine.context import Context
from distributor.ledger import latest, reachability

#: Where a suppression comes from that a chat lifts by coming back: the platform's own refusals.
_LIFTED = "delivery"
_HERE = CHANNEL.name


class Readers:
    """Subscribing and everything after it, in private chats, groups and channels."""

    def __init__(self, context: Context, account: TelegramAccount) -> None:
        self._context = context
        self._account = account

    def words(self, place: Place, otherwise: str = "") -> Words:
        """In the language that the subscriber chose, or that of the person's Telegram."""
        known = self._find(place)
        return words_for(known.language if known else "", place.language, otherwise)

    def start(self, place: Place, payload: str = "") -> list[Reaction]:
        """Subscribe to the list of a deep link, or else to the first one that is open."""
        words = self.words(place)
        open_lists = self._open_lists()
        if not open_lists:
            return [Answer(place.address, words.nothing_open)]
        wanted = list_of_payload(payload)
        name = wanted if wanted in open_lists else open_lists[0]
        reason = self._join(place, [name])
        if reason:
            return [Answer(place.address, words.suppressed.format(reason=reason))]
        joined = ", ".join(self._lists_of(place))
        welcome = words.welcome if place.is_private else words.group_welcome
        next_steps = words.help.partition("\n")[2]
        return [Answer(place.address, f"{welcome.format(lists=joined)}\n\n{next_steps}")]

    def stop(self, place: Place) -> list[Reaction]:
        """Leave every list."""
        words = self.words(place)
        left = self.leave(place)
        if not left:
            return [Answer(place.address, words.was_on_none)]
        return [Answer(place.address, words.left.format(lists=", ".join(left)))]

    def leave(self, place: Place) -> tuple[str, ...]:
        """Take the chat off every list; returns their names."""
        on = self._lists_of(place)
        if on:
            with self._context.ledger.write() as connection:
                subscribers.remove(connection, _HERE, place.address, by=LeftBy.BOT)
        return on

    def latest(self, place: Place) -> list[Reaction]:
        """The newest edition of the chat's lists, in the chat's style."""
        known = self._find(place)
        names = self._lists_of(place) or self._open_lists()
        with self._context.ledger.read() as connection:
            rendering_id = latest.rendering(
                connection,
                names,
                channel=_HERE,
                account=self._account.name,
                variant=known.variant if known else "",
            )
        if rendering_id is None:
            return [Answer(place.address, self.words(place).no_edition)]
        return [LatestEdition(known.id if known else 0, rendering_id, place.address)]

    def settings(self, place: Place, replaces: int | None = None) -> list[Reaction]:
        """Buttons for lists, style and language, the present choice marked."""
        words, known = self.words(place), self._find(place)
        on = self._lists_of(place)
        style = (known.variant if known else "") or self._account.style
        rows: list[tuple[Choice, ...]] = [
            (Choice(_marked(name, name in on), f"list:{index}"),)
            for index, name in enumerate(self._account.open_lists)
            if name in self._open_lists()
        ]
        rows.append(
            tuple(
                Choice(_marked(words.styles[one], one == style), f"style:{one}")
                for one in CHANNEL.variants
            )
        )
        rows.append(
            tuple(
                Choice(_marked(name, code == words.language), f"language:{code}")
                for code, name in LANGUAGES.items()
            )
        )
        return [Answer(place.address, words.settings, tuple(rows), replaces)]

    def choose(self, place: Place, what: str, value: str, message_id: int) -> list[Reaction]:
        """Change one setting, and show them again in the same message."""
        if what == "list":
            self._toggle(place, value)
        elif what == "style" and value in CHANNEL.variants:
            self._change(place, variant=value)
        elif what == "language" and value in LANGUAGES:
            self._change(place, language="zh-CN" if value == "zh" else value)
        return self.settings(place, message_id)

    def move(self, place: Place, to: str) -> None:
        """Keep the new id of a group that became a supergroup."""
        known = self._find(place)
        if known is not None:
            with self._context.ledger.write() as connection:
                reachability.move_subscriber(connection, known.id, to)

    def _toggle(self, place: Place, index: str) -> None:
        names = self._account.open_lists
        if not index.isdecimal() or int(index) >= len(names):
            return
        name = names[int(index)]
        if name in self._lists_of(place):
            with self._context.ledger.write() as connection:
                subscribers.remove(connection, _HERE, place.address, [name], by=LeftBy.BOT)
        elif name in self._open_lists():
            self._join(place, [name])

    def _join(self, place: Place, names: list[str]) -> str:
        """Put the chat on lists; returns why nothing will reach it, if that is so."""
        with self._context.ledger.write() as connection:
            added = subscribers.add(
                connection,
                channel=_HERE,
                address=place.address,
                list_names=names,
                name=_printable(place.name),
                account=self._own_account(place),
                resubscribe=True,
            )
            standing = added.suppression
            if standing is None:
                return ""
            if standing.source != _LIFTED:
                return standing.reason
            suppressions.remove(connection, _HERE, place.address)
        return ""

    def _change(self, place: Place, *, variant: str = "", language: str = "") -> None:
        with self._context.ledger.write() as connection:
            subscribers.add(
                connection,
                channel=_HERE,
                address=place.address,
                list_names=[],
                name=_printable(place.name),
                account=self._own_account(place),
                variant=variant,
                language=language,
            )

    def _own_account(self, place: Place) -> str:
        """This bot's account where another one would serve the chat otherwise."""
        default = self._context.settings.account_for(_HERE, place.address)
        return (
            ""
            if default is not None and default.name == self._account.name
            else (self._account.name)
        )

    def _open_lists(self) -> tuple[str, ...]:
        """The open lists that exist and are in use."""
        found = []
        with self._context.ledger.read() as connection:
            for name in self._account.open_lists:
                try:
                    known = lists.get(connection, name)
                except UnknownList:
                    continue
                if known.archived_at is None:
                    found.append(known.name)
        return tuple(found)

    def _find(self, place: Place) -> SubscriberDetail | None:
        with self._context.ledger.read() as connection:
            try:
                return subscribers.show(connection, f"{_HERE}:{place.address}")
            except UnknownSubscriber:
                return None

    def _lists_of(self, place: Place) -> tuple[str, ...]:
        known = self._find(place)
        if known is None:
            return ()
        return tuple(one.list_name for one in known.memberships if one.unsubscribed_at is None)


def _marked(text: str, is_chosen: bool) -> str:
    return f"✓ {text}" if is_chosen else text


def _printable(name: str) -> str:
    """A name as the audience may hold it: anybody may call themselves anything."""
    return "".join(letter for letter in name if letter.isprintable())[:100]
