"""The SMTP server: takes mail for everyone and keeps it."""

from __future__ import annotations

import asyncio
import email
import email.message
import email.policy
import logging
import re
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from distributor.sandbox.faults import Fault, FaultBook, FaultKind, Stage
from distributor.sandbox.mail_headers import header
from distributor.sandbox.smtp_protocol import SIZE_LIMIT, BulkSMTP
from distributor.sandbox.store import Incoming, Platform, Store

#: A mailbox as relays accept it: RFC 5321 section 4.1.2 without quoted local parts and address
#: literals, with RFC 6531's letters beyond ASCII.
_MAILBOX = re.compile(
    r"[^\s\x00-\x20\x7f()<>@,;:\\\"\[\].]+(\.[^\s\x00-\x20\x7f()<>@,;:\\\"\[\].]+)*"
    r"@[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)*"
)
#: RFC 5321 section 4.5.3.1.1 and .3; octets.
_LOCAL_PART_LIMIT = 64
_PATH_LIMIT = 254
#: RFC 5322 section 2.1.1; octets without CRLF.
_LINE_LIMIT = 998
#: RFC 5322 section 3.6 asks for the first two; every relay adds or asks for the third.
_NEEDED_HEADERS = ("From", "Date", "Message-ID")


def protocol(store: Store, faults: FaultBook, hostname: str) -> SMTP:
    """The protocol for one connection. Any login is accepted: there is nobody to impersonate."""
    return BulkSMTP(
        _Handler(store, faults),
        data_size_limit=SIZE_LIMIT,
        enable_SMTPUTF8=True,
        hostname=hostname,
        ident="ESMTP sandbox",
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=True),
    )


def quiet_logging() -> None:
    """aiosmtpd logs every command at INFO; here only its warnings are of interest."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)


class _Handler:
    """aiosmtpd's hooks; each returns the reply to send."""

    def __init__(self, store: Store, faults: FaultBook) -> None:
        self._store = store
        self._faults = faults

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, host: str, replies: list[str]
    ) -> list[str]:
        """aiosmtpd reads command by command from one buffer, which is what RFC 2920 asks for."""
        session.host_name = host
        return [*replies[:-1], "250-PIPELINING", replies[-1]]

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Check the recipient's syntax and let the faults strike that need no Message-ID."""
        problem = _recipient_problem(address, smtputf8="SMTPUTF8" in envelope.mail_options)
        if problem:
            return self._refuse(problem)
        verdict = self._faults.decide(Platform.SMTP, address, "", Stage.RCPT)
        await asyncio.sleep(verdict.delay)
        if verdict.fault:
            return await self._strike(server, verdict.fault)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Check the message and keep one copy for each recipient."""
        content = envelope.original_content or b""
        head = content.partition(b"\r\n\r\n")[0]
        headers = email.message_from_bytes(head, policy=email.policy.compat32)
        problem = _message_problem(content, headers, "SMTPUTF8" in envelope.mail_options)
        if problem:
            return self._refuse(problem)
        fault = await self._fault_after_data(envelope.rcpt_tos, header(headers, "Message-ID"))
        if fault and fault.kind is not FaultKind.DROP_AFTER:
            return await self._strike(server, fault)
        ids = self._store.add(_messages(envelope, headers), content)
        if fault:
            return await self._strike(server, fault)
        return f"250 2.0.0 OK: queued as {ids[0]}"

    async def _fault_after_data(self, recipients: list[str], message_id: str) -> Fault | None:
        """The first fault among the recipients: after the final dot there is one reply for all."""
        for address in recipients:
            verdict = self._faults.decide(Platform.SMTP, address, message_id, Stage.DATA)
            await asyncio.sleep(verdict.delay)
            if verdict.fault:
                return verdict.fault
        return None

    async def _strike(self, server: SMTP, fault: Fault) -> str:
        match fault.kind:
            case FaultKind.REJECT:
                return self._refuse(f"{fault.code} {fault.text or 'Refused'}")
            case FaultKind.RATE_LIMIT:
                return self._refuse(
                    f"450 4.7.1 Too many messages, try again in {fault.retry_after} seconds"
                )
        self._store.refused(Platform.SMTP, fault.kind)
        transport = server.transport
        if isinstance(transport, asyncio.Transport):
            transport.abort()
        # The lost connection cancels this coroutine, so that nothing is written any more.
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    def _refuse(self, reply: str) -> str:
        self._store.refused(Platform.SMTP, _code(reply))
        return reply


def _code(reply: str) -> str:
    """`550 5.1.1` of `550 5.1.1 No such user`."""
    match = re.match(r"\d{3}( \d\.\d{1,3}\.\d{1,3})?", reply)
    return match[0] if match else reply


def _recipient_problem(address: str, *, smtputf8: bool) -> str | None:
    local = address.rpartition("@")[0]
    if not address.isascii() and not smtputf8:
        return "553 5.6.7 Address is not ASCII: MAIL FROM must say SMTPUTF8 (RFC 6531)"
    if len(local.encode()) > _LOCAL_PART_LIMIT or len(address.encode()) > _PATH_LIMIT:
        return "501 5.1.3 Address is too long (RFC 5321 section 4.5.3.1)"
    if not _MAILBOX.fullmatch(address):
        return "501 5.1.3 Bad recipient address syntax"
    return None


def _message_problem(
    content: bytes, headers: email.message.Message[str, str], smtputf8: bool
) -> str | None:
    if max(map(len, content.split(b"\r\n"))) > _LINE_LIMIT:
        return "500 5.6.0 Line too long (RFC 5322 section 2.1.1)"
    line_ends = content.count(b"\r\n")
    if content.count(b"\n") != line_ends or content.count(b"\r") != line_ends:
        return "550 5.6.11 Bare CR or LF in the message (RFC 5322 section 2.3)"
    if not smtputf8 and not content.partition(b"\r\n\r\n")[0].isascii():
        return "550 5.6.7 Headers are not ASCII: MAIL FROM must say SMTPUTF8 (RFC 6532)"
    for name in _NEEDED_HEADERS:
        if len(headers.get_all(name, [])) != 1:
            return f"554 5.6.0 Message needs exactly one {name} header (RFC 5322 section 3.6)"
    return None


def _messages(envelope: Envelope, headers: email.message.Message[str, str]) -> list[Incoming]:
    content: dict[str, Any] = {
        "envelope_from": envelope.mail_from,
        "from": header(headers, "From"),
        "size": len(envelope.original_content or b""),
    }
    return [
        Incoming(
            Platform.SMTP,
            address,
            header(headers, "Subject"),
            content,
            message_id=header(headers, "Message-ID").strip(),
        )
        for address in envelope.rcpt_tos
    ]
