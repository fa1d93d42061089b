"""Posts messages of a WeCom app to members, departments and tags, many in one call.

https://developer.work.weixin.qq.com/document/path/90236. WeCom compares calls byte by byte and
drops what it delivered within the interval, so that a call which was not answered is made again as
it was. A call that reaches some of its recipients is answered with `errcode` 0 and the others'
names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from channels.base import Fault, Outcome, Part, Recipient, Verdict
from channels.optional import SharedStore
from channels.webhook import Answer, NotAnswered, NotSent
from channels.wechat.account import WeChatAccount
from channels.wechat.calls import Calls
from channels.wechat.errcodes import WECOM
from channels.wechat.replies import read_reply
from channels.wechat.tokens import NoToken

_SEND = "/cgi-bin/message/send"
_MOST_MEMBERS, _MOST_PARTIES, _MOST_TAGS = 1_000, 100, 100
#: The longest that WeCom takes, in seconds; no retry of ours should come later.
DUPLICATE_SECONDS = 14_400
#: Calls with the same bytes until one is answered.
_TRIES = 3
_EVERYBODY = "@all"
#: What the answer lists beside those who got the message, and what to say of each.
_LEFT_OUT = {
    "invaliduser": ("invalid-user", "no such member, or the app may not see them"),
    "unlicenseduser": ("unlicensed-user", "has no licence for basic calls (互通账号)"),
    "invalidparty": ("invalid-party", "no such department, or the app may not see it"),
    "invalidtag": ("invalid-tag", "no such tag, or the app may not see it"),
}


class AppConnection:
    """The way to one app. Connects when first used."""

    def __init__(self, account: WeChatAccount) -> None:
        self._account = account
        self._calls = Calls(account)

    def share(self, store: SharedStore) -> None:
        """Keep the app's token where other workers find it."""
        self._calls.share(store)

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Post `part` to one recipient."""
        return self.deliver_together(part, [recipient])[0]

    def deliver_together(self, part: Part, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
        """Post `part` to all of them, in as few calls as WeCom allows."""
        outcomes: dict[str, Outcome] = {}
        for batch in _batches([recipient.address for recipient in recipients]):
            outcomes |= self._post(part.payload, batch)
        return [outcomes[recipient.address] for recipient in recipients]

    def close(self) -> None:
        """Close what is open; a later delivery connects again."""
        self._calls.close()

    def _post(self, payload: Mapping[str, Any], addresses: Sequence[str]) -> dict[str, Outcome]:
        body = _body(payload, addresses, self._account.agent_id)
        outcome: Outcome | None = None
        for _ in range(_TRIES):
            try:
                answer = self._calls.post(_SEND, body)
            except NoToken as error:
                outcome = error.outcome
            except NotSent as error:
                # After an unanswered call it stays unknown what that one came to.
                outcome = outcome or WECOM.not_sent(str(error))
            except NotAnswered as error:
                outcome = WECOM.not_answered(str(error))
                continue
            else:
                return _outcomes(answer, addresses)
            break
        assert outcome is not None  # noqa: S101 - every way out of the loop sets it
        return dict.fromkeys(addresses, outcome)


def _batches(addresses: Sequence[str]) -> list[list[str]]:
    """In their order and by what one call may name; everybody is a call of its own."""
    batches: list[list[str]] = []
    room: dict[str, int] = {}
    for address in dict.fromkeys(addresses):
        kind = _kind(address)
        if kind == _EVERYBODY:
            batches.insert(0, [address])
            continue
        if not room.get(kind):
            batches.append([])
            room = {"touser": _MOST_MEMBERS, "toparty": _MOST_PARTIES, "totag": _MOST_TAGS}
        batches[-1].append(address)
        room[kind] -= 1
    return batches


def _kind(address: str) -> str:
    name = address.removeprefix("app:")
    if name == _EVERYBODY:
        return _EVERYBODY
    if name.startswith("party:"):
        return "toparty"
    return "totag" if name.startswith("tag:") else "touser"


def _name(address: str) -> str:
    return address.rpartition(":")[2]


def _body(payload: Mapping[str, Any], addresses: Sequence[str], agent_id: int) -> dict[str, Any]:
    """The same recipients make the same bytes: in their order, with no time in it."""
    named: dict[str, list[str]] = {}
    for address in sorted(addresses):
        kind = _kind(address)
        named.setdefault("touser" if kind == _EVERYBODY else kind, []).append(_name(address))
    return {
        **{kind: "|".join(names) for kind, names in named.items()},
        "agentid": agent_id,
        **payload,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": DUPLICATE_SECONDS,
    }


def _outcomes(answer: Answer, addresses: Sequence[str]) -> dict[str, Outcome]:
    whole = read_reply(answer)
    if whole.code == "wecom-81013" and len(addresses) > 1:
        # None of them was reached, which is each one's own fault and not the others'.
        return {address: _left_out("invaliduser", address) for address in addresses}
    if whole.verdict is not Verdict.SENT:
        return dict.fromkeys(addresses, whole)
    said = answer.json or {}
    sent = Outcome(Verdict.SENT, "ok", whole.reply, message_id=str(said.get("msgid") or "") or None)
    outcomes = dict.fromkeys(addresses, sent)
    for field in _LEFT_OUT:
        # Names come back in lower case, whatever they were sent in.
        names = {name for name in str(said.get(field) or "").lower().split("|") if name}
        for address in addresses:
            if _name(address) in names and _belongs(field, address):
                outcomes[address] = _left_out(field, address)
    return outcomes


def _belongs(field: str, address: str) -> bool:
    kinds = {"invalidparty": "toparty", "invalidtag": "totag"}
    return _kind(address) == kinds.get(field, "touser")


def _left_out(field: str, address: str) -> Outcome:
    code, reason = _LEFT_OUT[field]
    return Outcome(
        Verdict.FAILED,
        f"wecom-{code}",
        f"{field}: {_name(address)}: {reason}",
        fault=Fault.RECIPIENT,
    )
