"""Bounces that a mail server hands over itself, by LMTP or SMTP."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from distributor.bounces.source import Disposal, SourceUnreachable, Take

_log = logging.getLogger(__name__)

_SIZE_LIMIT = 10_000_000
#: Whether mail to an address is taken at all.
IsOurs = Callable[[str], bool]


def listen(
    host: str,
    port: int,
    *,
    lmtp: bool,
    is_ours: IsOurs,
    take: Take,
    started: Callable[[int], None],
) -> None:
    """Take mail until SIGTERM or SIGINT; `started` is called with the port once it listens.

    A message is accepted when it has been taken in, and refused for now when that fails or is too
    early. Raises `SourceUnreachable` when the port cannot be had.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise SourceUnreachable(
            f"cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}): stop what uses "
            "that port, or choose another"
        ) from error
    with listener:
        asyncio.run(_serve(listener, lmtp, _Handler(is_ours, take), started))


async def _serve(
    listener: socket.socket, lmtp: bool, handler: _Handler, started: Callable[[int], None]
) -> None:
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    protocol = _Lmtp if lmtp else _Smtp
    server = await loop.create_server(
        lambda: protocol(
            handler,
            data_size_limit=_SIZE_LIMIT,
            enable_SMTPUTF8=True,
            hostname="bounces",
            ident="bounces",
        ),
        sock=listener,
    )
    started(listener.getsockname()[1])
    await stop.wait()
    server.close()


class _Smtp(SMTP):  # type: ignore[misc] # its untyped decorator hides the class
    #: Reports enclose whatever came back, with lines of any length.
    line_length_limit = _SIZE_LIMIT


class _Lmtp(LMTP):  # type: ignore[misc]
    line_length_limit = _SIZE_LIMIT


class _Handler:
    """aiosmtpd's hooks; each returns the reply to send."""

    def __init__(self, is_ours: IsOurs, take: Take) -> None:
        self._is_ours = is_ours
        self._take = take

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Only our own bounce addresses: nothing is relayed, and nothing else is read.

        One at a time: LMTP wants an answer for each recipient after the message (RFC 2033,
        section 4.2), aiosmtpd gives one. Mail servers bring it to the others afterwards.
        """
        if not self._is_ours(address):
            return "550 5.1.1 This is no bounce address of ours"
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take the message in; the ledger decides what it means."""
        content = _with_return_path(envelope)
        (address,) = envelope.rcpt_tos
        try:
            disposal = await asyncio.to_thread(self._take, content, address)
        except Exception:  # noqa: BLE001
            # Whatever it was, the mail server keeps the message and comes again.
            _log.exception("a message could not be taken in")
            return "451 4.3.0 Could not be taken in for now"
        if disposal is Disposal.LATER:
            return "451 4.3.0 About a message that is still under way, come again"
        return "250 2.0.0 Taken in"


def _with_return_path(envelope: Envelope) -> bytes:
    """The message as it is after final delivery, which this is (RFC 5321, section 4.4).

    The field comes first, so that it counts before any that the sender wrote.
    """
    sender = (envelope.mail_from or "").encode("utf-8", "surrogateescape")
    return b"Return-Path: <%b>\r\n%b" % (sender, envelope.original_content or b"")
