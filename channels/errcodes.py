"""Error codes of a platform as data: what each one is about, in words, and what to do.

A platform's table stands in its channel. Here is what a class of errors means for a delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from channels.base import Fault, Outcome, Verdict
from distributor.suppression import SuppressionReason

_MOST_REPLY = 500
_GATEWAY_TIMEOUT = 504


class Kind(Enum):
    """What a code is about, as the verdict and the fault that follow."""

    ACCEPTED = (Verdict.SENT, None)
    #: It will pass; another attempt may succeed.
    RETRY = (Verdict.RETRYING, Fault.PROVIDER)
    #: Permanent for this target.
    TARGET = (Verdict.FAILED, Fault.RECIPIENT)
    #: Nothing on the account can be sent until a person has put it right.
    ACCOUNT = (Verdict.RETRYING, Fault.ACCOUNT)
    #: The account may not do this with this message; others of its kinds work.
    REFUSED = (Verdict.FAILED, Fault.ACCOUNT)
    #: Our rendering is wrong: every target would refuse it.
    BUG = (Verdict.FAILED, Fault.CONTENT)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code means and what a person should do about it."""

    kind: Kind
    en: str
    zh: str
    #: Least wait before another attempt, in seconds.
    retry_after: float | None = None
    #: Why the address is not to be sent to again.
    suppress: SuppressionReason | None = None


#: A code that nobody has explained yet: it says nothing about other targets, and asking again
#: would bring the same answer.
_UNEXPLAINED = Meaning(Kind.TARGET, "", "")


class Errcodes:
    """The codes of one platform."""

    def __init__(
        self, prefix: str, meanings: Mapping[int, Meaning], accepted: Iterable[int] = (0,)
    ):
        """`prefix` stands before the number in an outcome's code: `wecom-93000`."""
        self.prefix = prefix
        self._meanings = MappingProxyType(dict(meanings))
        self._accepted = frozenset(accepted)

    @property
    def codes(self) -> frozenset[int]:
        """Every number that has an explanation."""
        return frozenset(self._meanings)

    def outcome(self, errcode: int, reply: str, *, message_id: str | None = None) -> Outcome:
        """What `errcode` came to; `reply` is kept as the platform's words."""
        if errcode in self._accepted:
            return Outcome(Verdict.SENT, "ok", reply[:_MOST_REPLY], message_id=message_id)
        meaning = self._meanings.get(errcode, _UNEXPLAINED)
        verdict, fault = meaning.kind.value
        return Outcome(
            verdict,
            f"{self.prefix}-{errcode}",
            reply[:_MOST_REPLY],
            fault=fault,
            retry_after=meaning.retry_after,
            suppress=meaning.suppress,
        )

    def explain(self, code: str, language: str) -> str | None:
        """What an outcome's code means and what to do, in Chinese or English; None if unknown."""
        number = code.removeprefix(f"{self.prefix}-")
        try:
            meaning = self._meanings.get(int(number)) if number != code else None
        except ValueError:
            return None
        if meaning is None:
            return None
        return meaning.zh if language.lower().startswith("zh") else meaning.en

    def not_sent(self, reason: str) -> Outcome:
        """No connection: the request was never sent."""
        code = f"{self.prefix}-unreachable"
        return Outcome(Verdict.RETRYING, code, reason[:_MOST_REPLY], fault=Fault.PROVIDER)

    def not_answered(self, reason: str) -> Outcome:
        """The request was sent and no answer came: it may have been acted upon."""
        code = f"{self.prefix}-unanswered"
        return Outcome(Verdict.UNKNOWN, code, reason[:_MOST_REPLY], fault=Fault.PROVIDER)

    def not_the_platform(self, status: int, text: str) -> Outcome:
        """Something between us and the platform answered: a firewall's page, a proxy's error.

        It stands in for the platform, so the message was not accepted. Only a gateway that waited
        in vain (504, RFC 9110 section 15.6.5) may have handed it over.
        """
        verdict = Verdict.UNKNOWN if status == _GATEWAY_TIMEOUT else Verdict.RETRYING
        reply = f"HTTP {status}: {' '.join(text.split())}"[:_MOST_REPLY]
        return Outcome(verdict, f"{self.prefix}-http-{status}", reply, fault=Fault.PROVIDER)
