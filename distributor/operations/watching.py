"""Watching all sources, and importing what they give as soon as it is there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from sqlalchemy.exc import OperationalError

from distributor.digest.sources.model import Source, SourceUnreachable, Unread
from distributor.engine.context import Context
from distributor.ledger.database import LedgerUnavailable
from distributor.operations.errors import OperationError
from distributor.operations.importing import Imported, look

_log = logging.getLogger(__name__)

_LOOK_AROUND_SECONDS = 1
#: Looks under way may go on for so long when the program ends; they may be broken off too.
_PATIENCE_SECONDS = 5


def watch(context: Context, sources: Sequence[Source], stopping: threading.Event) -> None:
    """Follow every source until `stopping`, each at its own pace. What happens is logged.

    A source or ledger that is away is asked again at its next turn. Raises `OperationError` when
    a source is not followed any more, which only a fault of ours can bring about.
    """
    followers = [
        threading.Thread(
            target=_follow, args=(context, one, stopping), name=f"source {one.name}", daemon=True
        )
        for one in sources
    ]
    for follower in followers:
        follower.start()
    while not stopping.wait(_LOOK_AROUND_SECONDS):
        for follower in followers:
            if not follower.is_alive() and not stopping.is_set():
                raise OperationError(f"{follower.name} is not followed any more; see the log")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for follower in followers:
        follower.join(max(0, deadline - time.monotonic()))


def _follow(context: Context, source: Source, stopping: threading.Event) -> None:
    told: frozenset[str] = frozenset()
    for _ in source.changes(stopping):
        problems = _problems(context, source)
        # The same trouble at every look is told once.
        for problem in sorted(problems - told):
            _log.warning("%s: %s", source.name, problem)
        if told and not problems:
            _log.info("%s: all is well again", source.name)
        told = problems


def _problems(context: Context, source: Source) -> frozenset[str]:
    """Look once; what was imported is logged, and what went wrong is returned."""
    problems = set()
    try:
        for one in look(context, source):
            match one:
                case Unread():
                    problems.add(one.message)
                case Imported():
                    _tell(one)
    except SourceUnreachable as error:
        problems.add(str(error))
    except LedgerUnavailable as error:
        problems.add(str(error))
    except OperationalError as error:
        problems.add(f"the ledger failed: {str(error.orig).strip()}")
    return frozenset(problems)


def _tell(one: Imported) -> None:
    revision = one.edition.digest.revision
    _log.info("%s: %s edition %s (%s)", one.source, one.taken.value, one.identity, revision[:8])
    for reason in one.edition.reasons:
        _log.warning("%s: %s would be held: %s", one.source, one.identity, reason.message)
