"""What a drill found."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from distributor.drill.reconcile import Result
from distributor.drill.watch import Recovery
from distributor.ledger.states import DeliveryState

#: Recipients named for each kind of problem; the ledger in the kept folder has the others.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a drill was asked for."""

    recipients: int
    kills: int
    seed: int
    on_postgresql: bool = False

    @property
    def replay(self) -> str:
        """The command that does the same again; an address may hold a password."""
        words = f"--recipients {self.recipients} --kills {self.kills} --seed {self.seed}"
        database = " --database URL" if self.on_postgresql else ""
        return f"distributor drill {words}{database}"


@dataclass(slots=True)
class Report:
    """What a drill found."""

    challenge: Challenge
    seconds: float = 0
    state: str = ""
    recoveries: Sequence[Recovery] = ()
    channels: Mapping[str, Result] = field(default_factory=dict)
    #: What is wrong beside the recipients.
    problems: list[str] = field(default_factory=list)
    #: Programs that ended though nobody killed them; they were started again.
    ended_by_themselves: Sequence[str] = ()
    #: Where the ledger, the logs and the sandbox's messages are kept; empty when all is well.
    kept: str = ""

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.findings())

    @property
    def recovery_seconds(self) -> list[float]:
        """After each kill that left something to deliver."""
        return [one.seconds for one in self.recoveries if one.is_kill and one.seconds is not None]

    def findings(self) -> Iterator[str]:
        """Every reason why the drill has failed."""
        yield from self.problems
        for channel, result in self.channels.items():
            yield from _some(f"{channel}: lost", result.lost)
            yield from _some(f"{channel}: wrong", result.wrong)
            if not result.within_allowance:
                yield (
                    f"{channel}: {len(result.unexplained)} messages in doubt, "
                    f"but only {result.in_flight} can have been in flight"
                )
                yield from _some(f"{channel}: in doubt", result.unexplained)

    def as_json(self) -> dict[str, object]:
        """The object of `drill --json`."""
        recovery = self.recovery_seconds
        return {
            "recipients": self.challenge.recipients,
            "kills": self.challenge.kills,
            "seed": self.challenge.seed,
            "database": "postgresql" if self.challenge.on_postgresql else "sqlite",
            "passed": self.passed,
            "findings": list(self.findings()),
            "seconds": round(self.seconds, 1),
            "state": self.state,
            "lost": sum(len(one.lost) for one in self.channels.values()),
            "wrong": sum(len(one.wrong) for one in self.channels.values()),
            "second_copies": sum(one.second_copies for one in self.channels.values()),
            "channels": {name: _channel_json(one) for name, one in self.channels.items()},
            "recovery_seconds": {
                "median": round(statistics.median(recovery), 2) if recovery else None,
                "longest": round(max(recovery), 2) if recovery else None,
            },
            "blows": [_blow_json(one) for one in self.recoveries],
            "ended_by_themselves": list(self.ended_by_themselves),
            "kept": self.kept,
            "replay": self.challenge.replay,
        }


def _some(what: str, named: Sequence[str]) -> Iterator[str]:
    for one in named[:_NAMED]:
        yield f"{what}: {one}"
    if len(named) > _NAMED:
        yield f"{what}: and {len(named) - _NAMED} more"


def _channel_json(result: Result) -> dict[str, object]:
    return {
        "intended": result.intended,
        "states": {state.value: result.states[state] for state in DeliveryState},
        "lost": len(result.lost),
        "wrong": len(result.wrong),
        "second_copies": result.second_copies,
        "in_doubt": len(result.unexplained),
        "in_doubt_allowed": result.in_flight,
    }


def _blow_json(one: Recovery) -> dict[str, object]:
    return {
        "at_seconds": round(one.at, 1),
        "share": round(one.share, 3),
        "what": one.struck.what,
        "kill": one.is_kill,
        "recovered_seconds": None if one.seconds is None else round(one.seconds, 2),
    }
