"""From a rendering and a recipient to the bytes of one message.

Assembled from bytes rather than with `email.message`, which costs milliseconds a message and
draws a random MIME boundary: here the same input gives the same bytes, so a retry differs from
the first attempt in nothing but its Date.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from channels.base import Recipient
from channels.email.account import EmailAccount
from channels.email.address import parse_address
from channels.email.dkim import Field, sign
from channels.email.headers import (
    HeaderError,
    clean,
    list_id_field,
    mailbox_field,
    raw_field,
    text_field,
)
from channels.email.personal import Marks, Personal

#: Octets in one line of base64 (RFC 2045, section 6.8: 76 characters).
_LINE_OCTETS, _LINE_WIDTH = 57, 76

#: Of a Feedback-ID's last part, in characters: Gmail asks for 5 to 15.
_SENDER_ID = 15

#: Of a List-Id's first label, in characters: as a host name's (RFC 1035, section 2.3.4); and of
#: the hash that tells lists apart whose names give the same.
_MAX_LABEL, _LABEL_HASH = 63, 8

_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,200}")


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it goes over the wire, with its envelope."""

    envelope_from: str
    envelope_to: str
    message_id: str
    content: bytes
    #: The relay must offer SMTPUTF8 (RFC 6531), because an address is not ASCII.
    needs_smtputf8: bool


@dataclass(frozen=True, slots=True)
class _Body:
    """A text in base64 of which everything before the first mark is encoded once and for all."""

    fixed: bytes
    #: Octets between the last whole base64 line and the first mark.
    carry: bytes
    rest: Personal

    @classmethod
    def of(cls, body: Personal) -> _Body:
        same = body.same.encode()
        whole = len(same) // _LINE_OCTETS * _LINE_OCTETS
        return cls(_base64_lines(same[:whole]), same[whole:], body)

    def for_recipient(self, recipient: Recipient) -> bytes:
        return _base64_lines(self.carry + self.rest.fill_rest(recipient).encode())


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is the same in every message of one rendering."""

    fields: tuple[Field, ...]
    #: None: the same for all, and one of `fields`.
    subject: Personal | None
    text: _Body
    html: _Body


class Assembler:
    """Makes the messages of one account; prepares a rendering once and keeps the last one."""

    def __init__(self, account: EmailAccount) -> None:
        """Raises `KeyProblem` for a DKIM key that cannot sign."""
        self._account = account
        self._keys = account.signing_keys()
        self._domain = account.domain
        self._signing_domain = account.signing_domain
        self._payload: Mapping[str, Any] | None = None
        self._prepared: _Prepared | None = None

    def assemble(self, payload: Mapping[str, Any], recipient: Recipient, date: datetime) -> Message:
        """The message for `recipient`; `date` (with a time zone) goes into the Date header.

        Raises `AddressError` for an address that is none, `HeaderError` for a value that no
        header can carry.
        """
        prepared = self._prepare(payload)
        address = parse_address(recipient.address)
        identity = _checked_identity(recipient)
        boundary = f"=_{sha256(identity.encode()).hexdigest()[:24]}"
        message_id = f"<{identity}@{self._domain}>"
        fields = [
            Field.of(raw)
            for raw in (
                _date_field(date.replace(microsecond=0)),
                mailbox_field("To", recipient.name, address),
                raw_field("Message-ID", message_id),
                *_unsubscribe_fields(recipient.unsubscribe_url),
                raw_field("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
            )
        ]
        if prepared.subject:
            # Nothing may be left of it for a reader of whom little is known.
            subject = clean(prepared.subject.fill(recipient)) or payload.get("title", "")
            fields.append(Field.of(text_field("Subject", subject)))
        fields += prepared.fields
        body = _multipart(boundary, prepared, recipient)
        signatures = (
            sign(self._keys, self._signing_domain, fields, body, date) if self._keys else b""
        )
        sender = self._account.envelope_sender(recipient.bounce_token)
        return Message(
            envelope_from=sender,
            envelope_to=address,
            message_id=message_id,
            content=b"".join([signatures, *(field.raw for field in fields), b"\r\n", body]),
            needs_smtputf8=not (address + sender + self._account.from_address).isascii(),
        )

    def _prepare(self, payload: Mapping[str, Any]) -> _Prepared:
        if self._prepared is None or payload != self._payload:
            marks = Marks(payload["key"])
            common = _common_fields(self._account, payload)
            subject = Personal.of_text(payload["subject"], marks)
            if not subject.has_marks:
                common.append(text_field("Subject", subject.same))
            self._prepared = _Prepared(
                fields=tuple(Field.of(raw) for raw in common),
                subject=subject if subject.has_marks else None,
                text=_Body.of(Personal.of_text(_with_crlf(payload["text"]), marks)),
                html=_Body.of(Personal.of_html(_with_crlf(payload["html"]), marks)),
            )
            self._payload = payload
        return self._prepared


def _common_fields(account: EmailAccount, payload: Mapping[str, Any]) -> list[bytes]:
    """The header fields that every message of a rendering shares."""
    publisher = payload["publisher"]
    label = _atom(account.name)
    help_address = quote(account.reply_to or account.from_address, safe="@")
    fields = [
        mailbox_field("From", account.from_name or publisher, account.from_address),
        raw_field("MIME-Version", "1.0"),
        list_id_field(publisher, f"{_list_label(payload.get('list')) or label}.{account.domain}"),
        raw_field("List-Help", f"<mailto:{help_address}>"),
        # What Gmail counts complaints by: edition, account, kind of mail, sender. Nothing in it
        # may differ from reader to reader.
        raw_field(
            "Feedback-ID",
            f"{payload['key'][:12]}:{label}:digest:{_atom(account.domain)[:_SENDER_ID]}",
        ),
        raw_field("Precedence", "bulk"),
        # RFC 3834: keeps out-of-office programs from answering.
        raw_field("Auto-Submitted", "auto-generated"),
    ]
    if account.reply_to:
        fields.append(mailbox_field("Reply-To", "", account.reply_to))
    if payload["web_url"]:
        fields.append(raw_field("Archived-At", f"<{_uri(payload['web_url'])}>"))
    return fields


def _unsubscribe_fields(url: str) -> tuple[bytes, ...]:
    """One-click unsubscribe (RFC 8058); the URL must not be folded or encoded."""
    if not url:
        return ()
    return (
        raw_field("List-Unsubscribe", f"<{_uri(url)}>"),
        raw_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def _multipart(boundary: str, prepared: _Prepared, recipient: Recipient) -> bytes:
    """The parts between their boundary lines; base64 cannot hold the boundary's `=_`."""
    line = f"--{boundary}".encode()
    text, page = prepared.text, prepared.html
    return b"".join(
        (
            line,
            _part_head("text/plain"),
            text.fixed,
            text.for_recipient(recipient),
            line,
            _part_head("text/html"),
            page.fixed,
            page.for_recipient(recipient),
            line,
            b"--\r\n",
        )
    )


@cache
def _part_head(media_type: str) -> bytes:
    return (
        f"\r\nContent-Type: {media_type}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode()


def _with_crlf(body: str) -> str:
    return body.replace("\r\n", "\n").replace("\n", "\r\n")


def _uri(url: str) -> str:
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~")


def _base64_lines(octets: bytes) -> bytes:
    encoded = binascii.b2a_base64(octets, newline=False)
    starts = range(0, len(encoded), _LINE_WIDTH)
    return b"".join(encoded[start : start + _LINE_WIDTH] + b"\r\n" for start in starts)


@lru_cache(maxsize=1)
def _date_field(date: datetime) -> bytes:
    """The same for all messages of a second."""
    return raw_field("Date", format_datetime(date))


def _checked_identity(recipient: Recipient) -> str:
    if not _IDENTITY.fullmatch(recipient.identity):
        raise HeaderError("the delivery's identity is not made of letters, digits and dashes")
    return recipient.identity


def _list_label(name: str | None) -> str:
    """A label that stands for the list `name` alone, as readers filter by it; empty without one.

    The name itself where that is a label, else what can be kept of it with a hash behind.
    """
    if not name:
        return ""
    label = _atom(name)
    if label == name and len(label) <= _MAX_LABEL:
        return label
    kept = label[: _MAX_LABEL - _LABEL_HASH - 1].rstrip("-")
    return f"{kept}-{sha256(name.encode()).hexdigest()[:_LABEL_HASH]}"


def _atom(name: str) -> str:
    """`name` in small letters, digits and dashes; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "list"
