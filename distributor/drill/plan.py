"""What is broken, in which order and when: drawn from the seed and from nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: Blows fall while this share of the deliveries has ended.
_FIRST, _LAST = 0.03, 0.9
_LONGEST_SECONDS = 1.5
#: A trouble at a platform strikes one recipient in so many.
PATTERNS = 100


class Kind(StrEnum):
    """Something that is done to the service. The value is what the report calls it."""

    KILL_EMAIL = "kill -9 of an email worker"
    KILL_TELEGRAM = "kill -9 of the Telegram worker"
    KILL_WECHAT = "kill -9 of the WeChat worker"
    KILL_CONTROL = "kill -9 of the control worker"
    KILL_SCHEDULER = "kill -9 of the scheduler"
    KILL_WEB = "kill -9 of the web server"
    KILL_REDIS = "kill -9 of Redis"

    FLUSH = "FLUSHALL on Redis"
    DATABASE = "database away"
    DATABASE_CRASH = "database crashed"
    PAUSE = "send paused"
    PLATFORMS_GONE = "platforms gone, every connection cut"
    PLATFORMS_FROZEN = "platforms frozen"

    MAIL_BUSY = "relay: 450 too many messages"
    MAIL_REFUSED = "relay: 451 after the final dot"
    MAIL_CUT = "relay: cut before the message"
    MAIL_UNANSWERED = "relay: cut after the final dot"
    TELEGRAM_BUSY = "Telegram: 429 with retry_after"
    TELEGRAM_BROKEN = "Telegram: 502"
    TELEGRAM_UNANSWERED = "Telegram: accepted, then cut"
    WECOM_BUSY = "WeCom: -1 system busy"
    WECOM_UNANSWERED = "WeCom: accepted, then cut"

    @property
    def is_kill(self) -> bool:
        """Whether a process is killed by it."""
        return self in _KILLS


#: One round of kills. Email workers are those that hold most at any moment.
_KILLS = (
    Kind.KILL_EMAIL,
    Kind.KILL_EMAIL,
    Kind.KILL_TELEGRAM,
    Kind.KILL_WECHAT,
    Kind.KILL_CONTROL,
    Kind.KILL_SCHEDULER,
    Kind.KILL_WEB,
    Kind.KILL_REDIS,
)
_TROUBLES = tuple(kind for kind in Kind if kind not in _KILLS)


@dataclass(frozen=True, slots=True)
class Blow:
    """Something that goes wrong, and when: as a share of the deliveries that have ended."""

    #: Falls when this share of the deliveries has ended.
    share: float
    kind: Kind
    #: How long it lasts; after a kill, how long until the program is started again.
    seconds: float
    #: Which one of several, or whom it strikes: below `PATTERNS`.
    pick: int


def draw(seed: int, kills: int) -> tuple[Blow, ...]:
    """`kills` kills and as many other troubles, in the order in which they fall."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    kinds = [*_rounds(chance, _KILLS, kills), *_rounds(chance, _TROUBLES, kills)]
    chance.shuffle(kinds)
    shares = sorted(chance.uniform(_FIRST, _LAST) for _ in kinds)
    return tuple(
        Blow(share, kind, chance.uniform(0.1, _LONGEST_SECONDS), chance.randrange(PATTERNS))
        for share, kind in zip(shares, kinds, strict=True)
    )


def _rounds(chance: random.Random, kinds: Sequence[Kind], number: int) -> Iterator[Kind]:
    """Every kind once before any comes again."""
    deck: list[Kind] = []
    for _ in range(number):
        if not deck:
            deck = chance.sample(kinds, len(kinds))
        yield deck.pop()
