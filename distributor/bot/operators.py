"""What operators ask of the bot: how sends stand, and to steer them."""

from __future__ import annotations

from collections.abc import Callable

from distributor.bot.answers import Answer, Choice, Reaction
from distributor.bot.heard import Place
from distributor.bot.words import Words
from distributor.engine.context import Context, Hints
from distributor.engine.planner import edition_of
from distributor.ledger import digests, sends
from distributor.ledger.books import SendBooks
from distributor.ledger.decisions import Selection
from distributor.ledger.identifiers import identifier_in
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import status, steering
from distributor.operations.errors import OperationError

_RECENT = 5
_SHOWN = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.RETRYING,
    DeliveryState.SKIPPED,
)


class Operators:
    """Steering from a chat. Whoever may is asked before."""

    def __init__(self, context: Context, hints: Hints) -> None:
        self._context = context
        self._moves: dict[str, Callable[[int, str], object]] = {
            "approve": lambda send_id, _: steering.approve(context, hints, send_id),
            "cancel": lambda send_id, _: steering.cancel(context, send_id),
            "pause": lambda send_id, _: steering.pause(context, send_id),
            "resume": lambda send_id, _: steering.resume(context, send_id),
            "retry": lambda send_id, who: steering.retry(
                context, send_id, Selection(), operator=who
            ),
        }

    @property
    def moves(self) -> frozenset[str]:
        """The words for what can be done with a send."""
        return frozenset(self._moves)

    def status(self, place: Place, argument: str, words: Words) -> list[Reaction]:
        """The latest sends, or one."""
        if argument:
            return [self._one(place, argument, words, replaces=None)]
        recent = status.recent(self._context, _RECENT)
        if not recent:
            return [Answer(place.address, words.no_sends)]
        text = "\n\n".join(_line(send, counted) for send, counted in recent)
        newest = recent[0][0]
        return [Answer(place.address, text, _buttons(newest, recent[0][1], words))]

    def move(
        self, place: Place, move: str, argument: str, words: Words, replaces: int | None = None
    ) -> list[Reaction]:
        """Do `move` with the send that `argument` names, or the newest; then show it."""
        try:
            send_id = self._send_id(argument)
            self._moves[move](send_id, f"telegram user {place.user_id}")
        except OperationError as error:
            return [Answer(place.address, str(error))]
        return [self._one(place, str(send_id), words, replaces)]

    def drafts(self) -> tuple[int, ...]:
        """Sends that wait for approval."""
        with self._context.ledger.read() as connection:
            return sends.in_state(connection, SendState.DRAFT)

    def ask(self, send_id: int, address: str, words_in: Callable[[str], Words]) -> Answer:
        """Ask an operator about a draft; `words_in` has words for the edition's language."""
        with self._context.ledger.read() as connection:
            send = sends.find(connection, send_id)
            assert send is not None  # noqa: S101 - sends are never deleted
            stored = digests.get(connection, send.digest_id)
            names = sends.list_names(connection, send_id)
        digest = edition_of(self._context, stored).digest
        words = words_in(digest.language)
        text = words.draft.format(
            send=send_id, title=digest.title, items=len(digest.items), lists=", ".join(names)
        )
        row = (
            Choice(words.approve, f"approve:{send_id}"),
            Choice(words.cancel, f"cancel:{send_id}"),
        )
        return Answer(address, text, (row,))

    def _one(self, place: Place, argument: str, words: Words, replaces: int | None) -> Answer:
        try:
            found = status.of_send(self._context, self._send_id(argument))
        except OperationError as error:
            return Answer(place.address, str(error))
        text = _line(found.send, found.books)
        for reason in found.reasons[:_RECENT]:
            text += f"\n{reason.number:,} {reason.state.value}: {reason.code} {reason.reply}"[:300]
        return Answer(place.address, text, _buttons(found.send, found.books, words), replaces)

    def _send_id(self, argument: str) -> int:
        if (number := identifier_in(argument)) is not None:
            return number
        if argument:
            raise OperationError(f"{argument!r} is not the number of a send")
        newest = status.recent(self._context, 1)
        if not newest:
            raise OperationError("there is no send yet")
        return newest[0][0].id


def _line(send: Send, counted: SendBooks) -> str:
    total = counted.total
    numbers = ", ".join(f"{total[state]:,} {state.value}" for state in _SHOWN if total[state])
    books = f"{total.intended:,} intended" + (f": {numbers}" if numbers else "")
    return f"{send.id} · {send.title}\n{send.state.value} · {books}"


def _buttons(send: Send, counted: SendBooks, words: Words) -> tuple[tuple[Choice, ...], ...]:
    """What makes sense to do with the send now."""
    offered = {
        SendState.DRAFT: (("approve", words.approve), ("cancel", words.cancel)),
        SendState.PREPARING: (("pause", words.pause),),
        SendState.SENDING: (("pause", words.pause),),
        SendState.PAUSED: (("resume", words.resume), ("cancel", words.cancel)),
    }.get(send.state, ())
    if send.state is SendState.FINISHED and counted.total[DeliveryState.FAILED]:
        offered = (("retry", words.retry),)
    return (tuple(Choice(text, f"{move}:{send.id}") for move, text in offered),) if offered else ()
