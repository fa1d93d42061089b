"""Chaos: carries out the plan's blows, and notes what each of them leaves in doubt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from distributor.drill import database, platforms
from distributor.drill.fleet import CONTROL, EMAIL_WORKERS, SANDBOX, SCHEDULER, WEB, WORKERS, Fleet
from distributor.drill.plan import Blow, Kind
from distributor.drill.platforms import TROUBLES, Trouble
from distributor.drill.reconcile import Doubts
from distributor.drill.scene import LANES, Scene
from distributor.engine.context import Context
from distributor.operations import steering
from distributor.operations.errors import OperationError

#: A pause takes effect within this time, beside what a message in flight takes.
_PAUSE_EFFECT_SECONDS = 1.0

_PROGRAMS: Mapping[Kind, tuple[str, ...]] = {
    Kind.KILL_EMAIL: EMAIL_WORKERS,
    Kind.KILL_TELEGRAM: ("worker-telegram",),
    Kind.KILL_WECHAT: ("worker-wechat",),
    Kind.KILL_CONTROL: (CONTROL,),
    Kind.KILL_SCHEDULER: (SCHEDULER,),
    Kind.KILL_WEB: (WEB,),
}


@dataclass(frozen=True, slots=True)
class Struck:
    """What a blow has done."""

    what: str
    #: The channel that has to recover; None when it is all of them.
    channel: str | None = None
    #: The process that was killed and may hold batches.
    pid: int | None = None


@dataclass(slots=True)
class Chaos:
    context: Context
    fleet: Fleet
    scene: Scene
    send_id: int
    doubts: Doubts = field(default_factory=Doubts)
    #: What should not have happened while a blow lasted.
    problems: list[str] = field(default_factory=list)

    def strike(self, blow: Blow) -> Struck:
        """Carry out a blow. What it breaks is whole again when this returns, but for programs
        that were killed: the fleet starts those again."""
        if blow.kind in _PROGRAMS:
            return self._kill(blow)
        if (trouble := TROUBLES.get(blow.kind)) is not None:
            return self._trouble(blow, trouble)
        match blow.kind:
            case Kind.KILL_REDIS:
                self.fleet.kill_redis()
            case Kind.FLUSH:
                self.fleet.flush_redis()
            case Kind.DATABASE:
                database.take_away(self.context.ledger, blow.seconds)
            case Kind.DATABASE_CRASH:
                return Struck(database.crash(self.context.ledger, blow.seconds))
            case Kind.PAUSE:
                self._pause(blow.seconds)
            case Kind.PLATFORMS_FROZEN:
                self.fleet.freeze(SANDBOX, blow.seconds)
            case Kind.PLATFORMS_GONE:
                self._cut_every_connection(blow.seconds)
        return Struck(blow.kind.value)

    def _kill(self, blow: Blow) -> Struck:
        programs = _PROGRAMS[blow.kind]
        name = programs[blow.pick % len(programs)]
        channel = WORKERS.get(name)
        pid = self.fleet.kill(name, restart_after=blow.seconds)
        if pid is None:
            return Struck(f"{blow.kind.value} ({name}, which is down already)", channel)
        if channel is not None:
            self.doubts.in_flight[channel] += LANES
        return Struck(f"{blow.kind.value} ({name})", channel, pid)

    def _cut_every_connection(self, seconds: float) -> None:
        self.fleet.kill(SANDBOX, restart_after=seconds)
        for channel in WORKERS.values():
            self.doubts.in_flight[channel] += LANES
        time.sleep(seconds)
        self.fleet.wait_for_sandbox()

    def _trouble(self, blow: Blow, trouble: Trouble) -> Struck:
        match = platforms.pattern(trouble.channel, blow.pick)
        fault = {**trouble.fault, "times": 1}
        self.scene.platforms().misbehave(trouble.channel, match, **fault)
        if trouble.leaves_doubt:
            audience = self.scene.terms.audience[trouble.channel]
            for address in platforms.alike(trouble.channel, blow.pick, audience):
                self.doubts.unanswered[trouble.channel, address] += 1
        return Struck(f"{blow.kind.value}, for addresses with {match.strip()!r}", trouble.channel)

    def _pause(self, seconds: float) -> None:
        try:
            steering.pause(self.context, self.send_id)
        except OperationError:
            return  # it has ended
        time.sleep(_PAUSE_EFFECT_SECONDS + max(self.scene.pace.values()))
        before = self.scene.platforms().accepted()
        time.sleep(seconds)
        if leaked := self.scene.platforms().accepted() - before:
            self.problems.append(f"{leaked} messages left while the send was paused")
        steering.resume(self.context, self.send_id)
