"""What the words of a refusal tell that its codes do not.

Words are the weakest evidence there is: they are asked only where the codes leave a question, and
where they may be misread, nobody is suppressed.
"""

from __future__ import annotations

import re

#: How Postfix, Exim, Sendmail, Exchange and qmail say that they do not know us: not a matter of the
#: recipient's domain but of the relay that we talk to.
_RELAYING_DENIED = re.compile(
    r"\brelay(ing)?( access| mail)?( (for|to) \S+)?( is)? "
    r"(denied|prohibited|forbidden|disallowed|not (permitted|allowed))"
    r"|(unable|not (permitted|allowed)) to relay|allowed rcpthosts",
    re.IGNORECASE,
)
#: What follows was said by another server. Postfix (`reject_unverified_recipient`) and Exim
#: (`verify = recipient/callout`) ask one about an address and quote its answer.
_QUOTED = re.compile(r"\bsaid:|\bresponse:|->|\bhost \S{1,255}\[", re.IGNORECASE)
#: Refusals that are about us or our message. `DT:SPM` and the like are NetEase's codes
#: (163.com, 126.com).
_ABOUT_US = re.compile(
    r"(?<![a-z])(anti-?)?spam"
    r"|\b((dt|mi|rp|hl|spm):|ip (address )?(is|was|has been) (rejected|blocked|denied|listed)"
    r"|unsolicited|junk|virus|content|black ?list|block|[a-z]*rbl\b|dnsbl|reputation|polic|sender"
    r"|spf\b|dkim|dmarc|rdns|ptr\b|reverse dns|your ip|client host|frequency|rate.?limit"
    r"|too (many|much|large|big)|size\b)",
    re.IGNORECASE,
)
#: In angle brackets or without; a reader may be called `block.smith` or live at a `spam.example`.
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
#: How Exchange and Exim say that they tried for as long as they do.
_EXPIRED = re.compile(
    r"\bmessage expired|\bretry time(out exceeded| not reached)|\bhosts have been failing",
    re.IGNORECASE,
)
#: Which command was answered: Postfix's words, and Exim's.
_AFTER_DATA = re.compile(r"\b(in reply to|after)( pipelined)?( end of)? data\b", re.IGNORECASE)


def denies_relaying(text: str) -> bool:
    """The server itself takes no mail for others from us; that another one said so is no matter."""
    quoted = _QUOTED.search(text)
    return bool(_RELAYING_DENIED.search(text[: quoted.start()] if quoted else text))


def is_about_us(text: str) -> bool:
    """It speaks of the sender or the message, so it says nothing about the recipient."""
    return bool(_ABOUT_US.search(_ADDRESS.sub("", text)))


def is_expired(text: str) -> bool:
    """It was tried for too long, whatever stood in the way."""
    return bool(_EXPIRED.search(text))


def answers_data(text: str) -> bool:
    """A mail system reports an answer to DATA, or to the message itself."""
    return bool(_AFTER_DATA.search(text))
