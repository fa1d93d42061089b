"""From what the bot heard to what it answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from channels.telegram.account import TelegramAccount
from distributor.bot.answers import Answer, Reaction
from distributor.bot.heard import Admitted, Command, Heard, Moved, Place, Pressed
from distributor.bot.operators import Operators
from distributor.bot.readers import Readers
from distributor.engine.context import Context, Hints

_SETTINGS = ("list", "style", "language")


class Dialogue:
    """One bot's conversations. Nothing is kept between two updates but what the ledger holds."""

    def __init__(self, context: Context, hints: Hints, account: TelegramAccount) -> None:
        self._account = account
        self._operators = Operators(context, hints)
        self._readers = Readers(context, account)
        self._commands: dict[str, Callable[[Command], list[Reaction]]] = {
            "start": lambda heard: self._readers.start(heard.place, heard.argument),
            "stop": lambda heard: self._readers.stop(heard.place),
            "latest": lambda heard: self._readers.latest(heard.place),
            "settings": lambda heard: self._readers.settings(heard.place),
            "help": self._help,
        }
        self._announced: set[int] = set()

    def answer(self, heard: Heard, *, may_decide: bool) -> list[Reaction]:
        """What to answer. `may_decide`: whether the person may speak for the chat."""
        match heard:
            case Moved(place, to):
                self._readers.move(place, to)
                return []
            case Admitted():
                return self._admitted(heard)
            case Pressed():
                return self._pressed(heard, may_decide)
            case Command():
                return self._command(heard, may_decide)

    def drafts_to_ask_about(self) -> list[Reaction]:
        """Questions to all operators about drafts that they were not asked about yet."""
        fresh = [one for one in self._operators.drafts() if one not in self._announced]
        self._announced.update(fresh)
        return [
            self._operators.ask(
                send_id, str(operator), partial(self._readers.words, _private(operator))
            )
            for send_id in fresh
            for operator in self._account.operators
        ]

    def _command(self, heard: Command, may_decide: bool) -> list[Reaction]:
        place, words = heard.place, self._readers.words(heard.place)
        if heard.name == "status" or heard.name in self._operators.moves:
            if not self._is_operator(place):
                return [Answer(place.address, words.operators_only)] if place.is_private else []
            if heard.name == "status":
                return self._operators.status(place, heard.argument, words)
            return self._operators.move(place, heard.name, heard.argument, words)
        command = self._commands.get(heard.name)
        if command is None:
            text = f"{words.unknown}\n\n{words.help}"
            return [Answer(place.address, text)] if place.is_private else []
        if not may_decide and heard.name != "help":
            return [Answer(place.address, words.admins_only)]
        return command(heard)

    def _pressed(self, heard: Pressed, may_decide: bool) -> list[Reaction]:
        what, _, value = heard.data.partition(":")
        if what in _SETTINGS and may_decide:
            return self._readers.choose(heard.place, what, value, heard.message_id)
        if what in self._operators.moves and self._is_operator(heard.place):
            words = self._readers.words(heard.place)
            return self._operators.move(heard.place, what, value, words, heard.message_id)
        return []

    def _admitted(self, heard: Admitted) -> list[Reaction]:
        """A group or channel subscribes by letting the bot in, and leaves by shutting it out."""
        if not heard.is_in:
            self._readers.leave(heard.place)
            return []
        if heard.place.is_private:
            return []
        answers = self._readers.start(heard.place)
        return [] if heard.place.is_channel else answers

    def _help(self, heard: Command) -> list[Reaction]:
        words = self._readers.words(heard.place)
        text = words.help
        if self._is_operator(heard.place):
            text += f"\n\n{words.help_operator}"
        return [Answer(heard.place.address, text)]

    def _is_operator(self, place: Place) -> bool:
        return place.is_private and place.user_id in self._account.operators


def _private(user_id: int) -> Place:
    return Place(str(user_id), "", True, False, user_id, "")
