"""A drill from its first program to its last finding."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from requests import RequestException

from distributor.drill import database, plan
from distributor.drill.chaos import Chaos
from distributor.drill.fleet import Fleet
from distributor.drill.plan import Blow
from distributor.drill.reconcile import Delivered, reconcile
from distributor.drill.report import Challenge, Report
from distributor.drill.scene import LIST, Scene, prepared
from distributor.drill.watch import Recovery, Sight, Watch
from distributor.engine import context
from distributor.engine.app import create_app
from distributor.engine.context import Context
from distributor.engine.hints import CeleryHints
from distributor.ledger import tables
from distributor.ledger.database import LedgerUnavailable
from distributor.operations import receipt, sending
from distributor.operations.errors import OperationError
from distributor.operations.runtime import idle_queues, sandbox_answers
from distributor.operations.send_request import SendRequest, Started

_LOOK_SECONDS = 0.1
_START_PATIENCE_SECONDS = 60
#: A send of which nothing ended for so long is stuck.
_STUCK_SECONDS = 90
_NO_LONGER_LEFT_OVER_SECONDS = 5


def drill(challenge: Challenge, database_url: str, tell: Callable[[Recovery], None]) -> Report:
    """Run a drill; `tell` hears of every blow as it falls.

    Raises `WrongRequest`, `OperationError` and `LedgerUnavailable` when it cannot even begin.
    """
    if database_url:
        database.check_url(database_url)
    with (
        _folder() as folder,
        prepared(
            folder,
            recipients=challenge.recipients,
            kills=challenge.kills,
            database=database_url,
        ) as scene,
    ):
        own = context.build(scene.settings)
        with closing(own.ledger):
            database.require_empty(own.ledger)
            report = _Drill(challenge, scene, own, tell).run()
    if report.passed:
        shutil.rmtree(folder)
    else:
        report.kept = str(folder)
    return report


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder; removed when the drill could not even begin."""
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    try:
        yield folder
    except (OperationError, LedgerUnavailable):
        shutil.rmtree(folder, ignore_errors=True)
        raise


class _Drill:
    """One drill, from one thread: its programs die with the thread that started them."""

    def __init__(
        self, challenge: Challenge, scene: Scene, own: Context, tell: Callable[[Recovery], None]
    ) -> None:
        self._scene = scene
        self._context = own
        self._tell = tell
        self._fleet = Fleet(scene.settings)
        self._report = Report(challenge)
        self._blows = deque(plan.draw(challenge.seed, challenge.kills))

    def run(self) -> Report:
        try:
            self._start_programs()
            self._send_and_break()
        except (OperationError, RequestException) as error:
            self._report.problems.append(f"the drill broke off: {error}")
        finally:
            self._fleet.stop_service()
            self._fleet.stop()
        self._find_left_over()
        return self._report

    def _start_programs(self) -> None:
        self._fleet.start()
        deadline = time.monotonic() + _START_PATIENCE_SECONDS
        settings, channels = self._scene.settings, self._scene.terms.audience
        while idle_queues(settings, channels) or not sandbox_answers(settings):
            if time.monotonic() > deadline:
                raise OperationError(
                    f"the programs did not start within a minute; {self._fleet.logs} says why"
                )
            time.sleep(_LOOK_SECONDS)

    def _send_and_break(self) -> None:
        self._scene.gather_audience(self._context)
        self._scene.set_the_platforms()
        request = SendRequest(path=self._scene.edition, lists=(LIST,))
        hints = CeleryHints(create_app(self._scene.settings))
        started = sending.start(self._context, hints, request)
        if not isinstance(started, Started):
            raise OperationError("the drill's own edition is held: a bug of the drill")
        chaos = Chaos(self._context, self._fleet, self._scene, started.send_id)
        watch = Watch(self._context, started.send_id)
        self._follow(chaos, watch)
        self._report.seconds = watch.now
        self._report.recoveries = watch.recoveries
        self._report.problems += chaos.problems
        self._report.problems += [
            f"{name} did not end when told to" for name in self._fleet.stop_service()
        ]
        self._report.ended_by_themselves = self._fleet.ended_by_themselves
        self._settle(chaos, started.send_id)

    def _follow(self, chaos: Chaos, watch: Watch) -> None:
        """Until the send is over and every blow has fallen, or nothing moves any more."""
        while True:
            self._fleet.tend()
            sight = watch.look()
            if sight is not None and self._blows and sight.share >= self._blows[0].share:
                self._strike(chaos, watch, self._blows.popleft(), sight)
            elif sight is not None and sight.is_over and not self._blows:
                return
            elif watch.still_for > _STUCK_SECONDS:
                self._report.problems.append(
                    f"nothing ended for {_STUCK_SECONDS} seconds: {watch.what_is_stuck()}"
                )
                return
            else:
                time.sleep(_LOOK_SECONDS)

    def _strike(self, chaos: Chaos, watch: Watch, blow: Blow, before: Sight) -> None:
        at = watch.now
        struck = chaos.strike(blow)
        watch.remember(struck, is_kill=blow.kind.is_kill, at=at, before=before)
        self._tell(watch.recoveries[-1])

    def _settle(self, chaos: Chaos, send_id: int) -> None:
        """Compare what the ledger says with what the platforms received."""
        copies = self._scene.platforms().received()
        deliveries = _deliveries(self._context, send_id)
        self._report.channels = reconcile(deliveries, copies, chaos.doubts, self._scene.terms)
        drawn = receipt.draw_up(self._context, send_id)
        self._report.state = drawn.send.state.value
        if drawn.is_provisional:
            self._report.problems.append(f"the send has not ended: it is {self._report.state}")
        if not drawn.books.total.balanced:
            self._report.problems.append("the books do not balance")
        self._report.problems += [
            f"the receipt: {one.in_books} {one.channel} {one.state.value} in the books, "
            f"{one.in_log} in the delivery log"
            for one in drawn.differences
        ]

    def _find_left_over(self) -> None:
        deadline = time.monotonic() + _NO_LONGER_LEFT_OVER_SECONDS
        while (left := self._fleet.left_over()) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        self._report.problems += [f"a process was left over: {one}" for one in left]


def _deliveries(own: Context, send_id: int) -> list[Delivered]:
    table = tables.deliveries
    query = sa.select(table.c.channel, table.c.address, table.c.state, table.c.code)
    with own.ledger.read() as connection:
        rows = connection.execute(query.where(table.c.send_id == send_id)).all()
    return [Delivered(row.channel, row.address, row.state, row.code or "") for row in rows]
