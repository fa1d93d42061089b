"""How sends are going: numbers, states and reasons, and no addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from distributor.ledger import books, log, sends
from distributor.ledger import standstills as still
from distributor.ledger.books import Books, SendBooks
from distributor.ledger.database import Ledger
from distributor.ledger.identifiers import identifier_in
from distributor.ledger.log import Reason
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import roster, standstills
from distributor.operations.remarks import Remark
from distributor.operations.roster import Roster
from distributor.privacy import without_addresses
from distributor.web.pages import Pages

_RECENT = 20
#: Reasons shown for one send; the delivery log has them all.
_REASONS = 20
_REFRESH_SECONDS = 5
_MOVING = (SendState.PREPARING, SendState.SENDING)
#: Good ends first, then what needs a look, then what was not tried, then what is still to come.
_ORDER = (
    DeliveryState.SENT,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.RETRYING,
    DeliveryState.SKIPPED,
    DeliveryState.CANCELED,
    DeliveryState.SENDING,
    DeliveryState.QUEUED,
)
_PROBLEMS = (
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
    DeliveryState.RETRYING,
    DeliveryState.SKIPPED,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a bar, in thousandths of its length."""

    state: DeliveryState
    count: int
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Books as they are drawn: the states that occur, in order."""

    intended: int
    sent: int
    balanced: bool
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """A send with its books, as a page shows it."""

    send: Send
    total: Tally
    channels: tuple[tuple[str, Tally], ...]
    #: What nobody does for it, and what to do.
    idle: tuple[str, ...]

    @property
    def moving(self) -> bool:
        """Its numbers change without anybody's doing."""
        return self.send.state in _MOVING


class StatusPages:
    """Serves `/` and `/sends/{id}`."""

    def __init__(
        self,
        ledger: Ledger,
        pages: Pages,
        look: Callable[[], Roster],
        remark: Callable[[Send], Sequence[Remark]],
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._pages = pages
        self._look = look
        self._remark = remark
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [Route("/", self.overview), Route("/sends/{id}", self.one)]

    def overview(self, _request: Request) -> Response:
        at = self._now()
        with self._ledger.read() as c:
            found = still.all_(c, at)
            latest = sends.latest(c, _RECENT)
            counted = books.of_sends(c, [send.id for send in latest])
        alive = self._look()
        shown = [
            _progress(send, counted[send.id], alive, standstills.of_send(found, send.id, at))
            for send in latest
        ]
        refresh = _REFRESH_SECONDS if any(one.moving for one in shown) else None
        html = self._pages.html(
            "web/overview.html.j2", sends=shown, at_work=roster.at_work(alive), refresh=refresh
        )
        return self._pages.respond(html)

    def one(self, request: Request) -> Response:
        send_id = identifier_in(request.path_params["id"])
        if send_id is None:
            raise HTTPException(404)
        with self._ledger.read() as c:
            send = sends.find(c, send_id)
            if send is None:
                raise HTTPException(404)
            counted = books.of_send(c, send_id)
            reasons = log.reasons(c, send_id, *_PROBLEMS)
            lists = sends.list_names(c, send_id)
            at = self._now()
            stands_still = standstills.of_send(still.all_(c, at), send_id, at)
        progress = _progress(send, counted, self._who_is_alive(send), stands_still)
        html = self._pages.html(
            "web/send.html.j2",
            progress=progress,
            lists=lists,
            remarks=self._remark(send),
            reasons=[_without_addresses(reason) for reason in reasons[:_REASONS]],
            more_reasons=max(0, len(reasons) - _REASONS),
            refresh=_REFRESH_SECONDS if progress.moving else None,
        )
        return self._pages.respond(html)

    def _who_is_alive(self, about: Send) -> Roster | None:
        """None when it makes no difference to this send."""
        return self._look() if roster.needs_workers(about.state) else None


def _progress(
    send: Send, counted: SendBooks, alive: Roster | None, stands_still: tuple[str, ...]
) -> Progress:
    channels = roster.open_channels(counted)
    idle = roster.why_idle(alive, send.state, channels) if alive else ()
    return Progress(
        send=send,
        total=_tally(counted.total),
        channels=tuple((name, _tally(one)) for name, one in counted.channels.items()),
        idle=idle or stands_still,
    )


def _tally(counted: Books) -> Tally:
    whole = max(counted.intended, sum(counted.counts.values()), 1)
    segments: list[Segment] = []
    start = 0.0
    for state in _ORDER:
        if count := counted[state]:
            length = count * 1000 / whole
            segments.append(Segment(state, count, round(start, 3), round(length, 3)))
            start += length
    return Tally(counted.intended, counted[DeliveryState.SENT], counted.balanced, tuple(segments))


def _without_addresses(reason: Reason) -> Reason:
    return replace(reason, reply=without_addresses(reason.reply))
