"""Email addresses: what is accepted, and the one canonical form that is stored."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from channels.base import AddressError

#: RFC 5321, section 4.5.3.1: octets before the `@` and in the whole address.
MAX_LOCAL = 64
_MAX_ADDRESS = 254

#: Of a wrong address in an error message, in characters.
_MAX_SHOWN = 80

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")


def parse_address(text: str) -> str:
    """The address in its canonical form: lower case, the domain in ASCII.

    RFC 5321, section 2.4 lets a server tell `Bob` from `bob`, and none in use does. So the two are
    one reader, who gets one copy and leaves once. Quoted local parts and address literals are not
    accepted. Raises `AddressError`.
    """
    address = text.strip()
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise _refused(text, "it needs one @ with something on both sides")
    local = unicodedata.normalize("NFC", local.lower())
    if not _LOCAL.fullmatch(local) or not local.isprintable() or _has_surrogate(local):
        raise _refused(text, "the part before the @ has characters that are not allowed there")
    if len(local.encode()) > MAX_LOCAL:
        raise _refused(text, f"the part before the @ is longer than {MAX_LOCAL} octets")
    try:
        canonical = f"{local}@{ascii_domain(domain)}"
    except ValueError as error:
        raise _refused(text, str(error)) from None
    if len(canonical.encode()) > _MAX_ADDRESS:
        raise _refused(text, f"it is longer than {_MAX_ADDRESS} octets")
    return canonical


def domain_of(address: str) -> str:
    """The part of a canonical address after the `@`."""
    return address.rpartition("@")[2]


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """`domain` as it goes over the wire, in A-labels. Raises `ValueError` with the reason."""
    lowered = unicodedata.normalize("NFKC", domain).lower()
    try:
        encoded = lowered.encode("idna").decode("ascii")
        # The codec implements IDNA 2003, which turns a few letters (ß, ς) into others. The mail
        # would go to somebody else's domain, so such names must be given in their xn-- form.
        unchanged = encoded.encode("ascii").decode("idna") == lowered or encoded == lowered
    except UnicodeError:
        raise ValueError("the domain is not a valid host name") from None
    if not unchanged:
        raise ValueError("the domain is ambiguous; write it in its xn-- form")
    if not _DOMAIN.fullmatch(encoded):
        raise ValueError("the domain is not a valid host name")
    return encoded


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _refused(text: str, why: str) -> AddressError:
    shown = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
    return AddressError(f"{shown!r} is not an email address: {why}")
