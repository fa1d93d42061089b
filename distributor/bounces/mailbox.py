"""Bounces in a mailbox on another server, over IMAP or POP."""

from __future__ import annotations

import imaplib
import poplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from distributor.bounces.source import Disposal, SourceUnreachable, Take, hand_over

_SECONDS = 60.0
_PORTS = {"imaps": 993, "imap": 143, "pop3s": 995, "pop3": 110}
#: POP lines may be long: reports enclose messages of all kinds. Beyond this nothing behind the
#: message can be read either, so it is more than mail servers take.
_POP_LINE = 100_000_000
#: The IMAP keyword of letters that were taken in and are still to be read by a person.
_TAKEN_IN = "DistributorTakenIn"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address such as `imaps://bounces%40example.org@mail.example.org/INBOX`.

    `imap` and `pop3` begin in plain text and change to TLS, or refuse: only to this machine
    itself is a password ever sent unencrypted.
    """

    scheme: str
    host: str
    port: int
    user: str
    folder: str

    @classmethod
    def of(cls, url: str) -> Mailbox:
        """Raises `ValueError` with what is wanted."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or not parts.username:
            raise ValueError("wants an address like imaps://user@mail.example.org/INBOX")
        if parts.password is not None:
            raise ValueError("wants no password in it: that is a secret of its own")
        folder = unquote(parts.path.strip("/")) or "INBOX"
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname, port, unquote(parts.username), folder)

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_encrypted_from_the_start(self) -> bool:
        return self.scheme.endswith("s")

    @property
    def is_here(self) -> bool:
        return self.host in ("127.0.0.1", "::1", "localhost")


def fetch(mailbox: Mailbox, password: str, take: Take) -> None:
    """Take in what is unread and put it away.

    Over IMAP it is marked as read, over POP, which knows no marks, deleted. Letters stay unread;
    over IMAP a keyword tells that they were taken in, over POP they are handed over again each
    time. What is to be taken in later stays as it is. Raises `SourceUnreachable`.
    """
    is_imap = mailbox.scheme.startswith("imap")
    with _told(mailbox):
        (_fetch_imap if is_imap else _fetch_pop)(mailbox, password, take)


def _fetch_imap(mailbox: Mailbox, password: str, take: Take) -> None:
    server = _open_imap(mailbox)
    try:
        server.login(mailbox.user, password)
        answer, words = server.select(_quoted(mailbox.folder))
        if answer != "OK":
            raise SourceUnreachable(
                f"{mailbox.place} has no folder {mailbox.folder}: {_text(words[0])}"
            )
        flags = {Disposal.PUT_AWAY: r"\Seen"}
        if _keeps_keywords(server):
            flags[Disposal.LEAVE] = _TAKEN_IN
        _, found = server.uid("SEARCH", "UNSEEN", "UNKEYWORD", _TAKEN_IN)
        for uid in (found[0] or b"").split():
            _, parts = server.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
            octets = next((part[1] for part in parts if isinstance(part, tuple)), None)
            if octets is None:
                continue
            name = f"message {uid.decode()} in {mailbox.folder} on {mailbox.place}"
            if flag := flags.get(hand_over(take, octets, name)):
                server.uid("STORE", uid.decode(), "+FLAGS.SILENT", f"({flag})")
    finally:
        server.shutdown()


def _keeps_keywords(server: imaplib.IMAP4) -> bool:
    r"""Whether new keywords outlive the session: `\*` in PERMANENTFLAGS (RFC 9051, 7.1)."""
    _, flags = server.response("PERMANENTFLAGS")
    return any(rb"\*" in one for one in flags if isinstance(one, bytes))


def _open_imap(mailbox: Mailbox) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if mailbox.is_encrypted_from_the_start:
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=_SECONDS)
    server = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=_SECONDS)
    if "STARTTLS" in server.capabilities:
        server.starttls(context)
    elif not mailbox.is_here:
        server.shutdown()
        raise _unencrypted(mailbox)
    return server


def _fetch_pop(mailbox: Mailbox, password: str, take: Take) -> None:
    server = _open_pop(mailbox)
    try:
        server.user(mailbox.user)
        server.pass_(password)
        number, _ = server.stat()
        for place in range(1, number + 1):
            _, lines, _ = server.retr(place)
            octets, name = b"\r\n".join(lines) + b"\r\n", f"message {place} on {mailbox.place}"
            if hand_over(take, octets, name) is Disposal.PUT_AWAY:
                server.dele(place)
        # Only now are they deleted.
        server.quit()
    finally:
        server.close()


def _open_pop(mailbox: Mailbox) -> poplib.POP3:
    poplib._MAXLINE = _POP_LINE  # type: ignore[attr-defined] # 2048, which real reports exceed
    context = ssl.create_default_context()
    if mailbox.is_encrypted_from_the_start:
        return poplib.POP3_SSL(mailbox.host, mailbox.port, timeout=_SECONDS, context=context)
    server = poplib.POP3(mailbox.host, mailbox.port, timeout=_SECONDS)
    if "STLS" in server.capa():
        server.stls(context)
    elif not mailbox.is_here:
        server.close()
        raise _unencrypted(mailbox)
    return server


@contextmanager
def _told(mailbox: Mailbox) -> Iterator[None]:
    """Every way that this can fail, as one sentence without the password."""
    try:
        yield
    except (imaplib.IMAP4.error, poplib.error_proto) as error:
        words = _text(error.args[0] if error.args else error)
        raise SourceUnreachable(
            f"{mailbox.place} refuses {mailbox.user}: {words}; check user and password"
        ) from None
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or error
        raise SourceUnreachable(f"no encrypted connection to {mailbox.place}: {reason}") from None
    except OSError as error:
        raise SourceUnreachable(
            f"no connection to {mailbox.place}: {error.strerror or error}; check host and port"
        ) from None


def _unencrypted(mailbox: Mailbox) -> SourceUnreachable:
    return SourceUnreachable(
        f"{mailbox.place} offers no encryption, and the password is not sent without; "
        f"use {mailbox.scheme}s://"
    )


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(words: object) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.split())[:300]
