"""Misbehaviour on demand: what a platform shall do wrong, to whom, and how often.

Faults and how often each struck are kept in the sandbox's database, so that a restart of the
sandbox in the middle of a drill changes nothing.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from distributor.sandbox.store import Platform


class FaultKind(StrEnum):
    """What goes wrong."""

    #: Refused with `code` and `text`.
    REJECT = "reject"
    #: Refused as too many messages; says `retry_after` where the platform names a time.
    RATE_LIMIT = "rate_limit"
    #: Answered with HTTP `status` and `body` instead of JSON.
    HTTP_ERROR = "http_error"
    #: The connection breaks before the answer, and the message was not accepted.
    DROP_BEFORE = "drop_before"
    #: The message is accepted and kept, then the connection breaks without an answer.
    DROP_AFTER = "drop_after"
    #: The answer comes `seconds` later; combines with the other kinds.
    SLOW = "slow"


class Stage(StrEnum):
    """When an SMTP fault strikes."""

    #: In answer to RCPT TO: provably before anything was accepted. No Message-ID is known yet,
    #: so `times` counts by address alone.
    RCPT = "rcpt"
    #: After the final dot.
    DATA = "data"


class Fault(BaseModel):
    """One rule of misbehaviour. An address is struck when it contains `match`, or always by `*`.

    Addresses: a recipient for SMTP, `<chat> bot<id>` for Telegram, the robot's key or
    `app:<member>` for WeCom, `<app id> <call>` for an Official Account, the robot's token for
    Feishu and DingTalk.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: Platform
    match: str = Field(default="*", min_length=1)
    kind: FaultKind
    #: Strikes this often for each address and message, then no more; None means always.
    times: int | None = Field(default=None, ge=1)
    #: SMTP reply code, Bot API error code or WeCom errcode of a `reject`.
    code: int | None = None
    #: What the platform says; for SMTP with the enhanced code in front: `5.1.1 No such user`.
    text: str = Field(default="", max_length=400)
    #: Seconds that Telegram names with a 429.
    retry_after: int = Field(default=5, ge=1)
    status: int = Field(default=502, ge=400, le=599)
    body: str = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    seconds: float = Field(default=1, ge=0, le=600)
    #: SMTP only. Left out: at RCPT when it strikes always, after the final dot when counted.
    stage: Stage | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        smtp = self.platform is Platform.SMTP
        if self.kind is FaultKind.REJECT and self.code is None:
            raise ValueError("a reject needs a code, for example 550, 403 or 93000")
        if smtp and self.kind is FaultKind.HTTP_ERROR:
            raise ValueError("http_error is not possible for smtp")
        if smtp and self.code is not None and not 400 <= self.code <= 599:  # noqa: PLR2004
            raise ValueError("an SMTP refusal has a code from 400 to 599")
        if re.search(r"[\x00-\x1f\x7f]", self.text):
            raise ValueError("text must be one line without control characters")
        return self

    @model_validator(mode="after")
    def _waits_where_a_wait_can_be_named(self) -> Self:
        if "retry_after" in self.model_fields_set and not self._takes_a_wait:
            raise ValueError(
                "retry_after goes with the kind rate_limit, or for telegram with a reject "
                "of code 429"
            )
        return self

    @property
    def _takes_a_wait(self) -> bool:
        return self.kind is FaultKind.RATE_LIMIT or self.names_a_wait

    @property
    def names_a_wait(self) -> bool:
        """Whether the answer holds `retry_after`, as Telegram's alone can."""
        return self.platform is Platform.TELEGRAM and (
            self.kind is FaultKind.RATE_LIMIT
            or (self.kind is FaultKind.REJECT and self.code == HTTPStatus.TOO_MANY_REQUESTS)
        )

    @property
    def smtp_stage(self) -> Stage:
        """When this strikes an SMTP session."""
        return self.stage or (Stage.RCPT if self.times is None else Stage.DATA)

    def concerns(self, platform: Platform, address: str, stage: Stage | None) -> bool:
        """Whether this is about `address` at this stage, used up or not."""
        return (
            self.platform is platform
            and (self.match == "*" or self.match in address)
            and (stage is None or stage is self.smtp_stage)
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What shall happen to one message."""

    #: Seconds to wait before anything else.
    delay: float
    #: None: treat the message as the real platform would.
    fault: Fault | None


class FaultBook:
    """The faults in force, oldest first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._faults = {
            row["id"]: Fault.model_validate_json(row["settings"])
            for row in connection.execute("SELECT * FROM faults ORDER BY id")
        }

    def add(self, fault: Fault) -> int:
        """Put `fault` in force; returns its id."""
        cursor = self._connection.execute(
            "INSERT INTO faults (settings) VALUES (?)", (fault.model_dump_json(exclude_unset=True),)
        )
        id_ = int(cursor.lastrowid or 0)
        self._faults[id_] = fault
        return id_

    def all(self) -> dict[int, Fault]:
        """Every fault in force by its id."""
        return dict(self._faults)

    def clear(self) -> int:
        """Behave well again; returns how many faults were in force."""
        count = len(self._faults)
        self._connection.execute("DELETE FROM faults")
        self._faults.clear()
        return count

    def decide(
        self, platform: Platform, address: str, message: str, stage: Stage | None = None
    ) -> Verdict:
        """What shall happen to `message` for `address`; counts as one strike.

        Every `slow` that applies adds up, then the first other fault strikes.
        """
        delay = 0.0
        for id_, fault in self._faults.items():
            if not fault.concerns(platform, address, stage):
                continue
            if fault.times is not None and not self._strike(id_, fault.times, address, message):
                continue
            if fault.kind is not FaultKind.SLOW:
                return Verdict(delay, fault)
            delay += fault.seconds
        return Verdict(delay, None)

    def _strike(self, id_: int, times: int, address: str, message: str) -> bool:
        """Count a strike unless the fault has struck this message `times` already."""
        cursor = self._connection.execute(
            "INSERT INTO fault_hits VALUES (?, ?, ?, 1)"
            " ON CONFLICT DO UPDATE SET hits = hits + 1 WHERE hits < ?",
            (id_, address, message, times),
        )
        return cursor.rowcount > 0
