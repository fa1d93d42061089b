"""DKIM keys: made, and compared with what DNS publishes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from channels.email.account import EmailAccount, is_selector
from channels.email.address import ascii_domain
from channels.email.dkim_keys import KeyKind, KeyProblem, SigningKey, generate, load_key
from channels.email.dkim_record import flaws_of
from distributor.operations.bounce_sources import email_accounts
from distributor.operations.doctor import Finding, Health
from distributor.operations.errors import OperationError, WrongRequest
from distributor.settings import Settings

_DNS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made, where it is, and the DNS record to publish."""

    key: SigningKey
    #: Where the private half was written, readable by its owner alone.
    path: Path
    #: Where in DNS the public half belongs, in A-labels.
    record_name: str


def generate_keys(
    folder: Path, kinds: tuple[KeyKind, ...], selector: str, domain: str
) -> tuple[NewKey, ...]:
    """Make a key of each kind for `domain` and write it to `folder`; nothing is ever overwritten.

    The selectors are `selector` for RSA and `selector` with `-ed25519` for the other. Raises
    `WrongRequest` for a selector or domain that cannot stand in DNS, before anything is made, and
    `OperationError`.
    """
    place = _checked_domain(domain)
    names = {
        kind: _checked_selector(selector if kind is KeyKind.RSA else f"{selector}-{kind}")
        for kind in kinds
    }
    paths = {kind: folder / f"dkim-{name}.pem" for kind, name in names.items()}
    for path in paths.values():
        if path.exists():
            raise OperationError(
                f"{path} is there already and is not overwritten; choose another --selector"
            )
    made = []
    for kind in kinds:
        pem = generate(kind)
        _write_private(paths[kind], pem)
        key = load_key(names[kind], pem)
        made.append(NewKey(key, paths[kind], key.record_name(place)))
    return tuple(made)


def _checked_selector(text: str) -> str:
    if text and is_selector(text):
        return text
    raise WrongRequest(
        f"--selector {text!r} cannot stand in DNS; use letters, digits and dashes, such as d1"
    )


def _checked_domain(text: str) -> str:
    try:
        return ascii_domain(text)
    except ValueError as error:
        raise WrongRequest(f"--domain {text!r}: {error}") from None


def signing_accounts(settings: Settings, name: str | None) -> tuple[EmailAccount, ...]:
    """The email accounts with DKIM keys, or the one called `name`. Raises `WrongRequest`."""
    accounts = email_accounts(settings)
    chosen = [one for one in accounts if name in (None, one.name)]
    if name is not None and not chosen:
        known = ", ".join(one.name for one in accounts) or "none"
        raise WrongRequest(f"there is no email account {name!r}; there are: {known}")
    return tuple(one for one in chosen if name or one.dkim_rsa_key or one.dkim_ed25519_key)


def check(account: EmailAccount, nameserver: str | None = None) -> Iterator[Finding]:
    """Whether DNS publishes each key of `account`; asks `nameserver` (`host` or `host:port`)."""
    subject = f"account {account.name}"
    try:
        keys = account.signing_keys()
    except KeyProblem as problem:
        yield Finding(subject, Health.BROKEN, str(problem))
        return
    if not keys:
        yield Finding(
            subject,
            Health.WARNING,
            "signs nothing; make keys with: distributor dkim generate, unless the relay signs",
        )
    for key in keys:
        yield _compare(key, account.signing_domain, nameserver)


def _compare(key: SigningKey, domain: str, nameserver: str | None) -> Finding:
    name = key.record_name(domain)
    subject = f"{key.kind} {key.selector}"
    try:
        published = _text_records(name, nameserver)
    except OSError as error:
        return Finding(subject, Health.WARNING, f"DNS does not answer for {name}: {error}")
    if not published:
        return Finding(subject, Health.BROKEN, f"DNS has no TXT record at {name}; publish it")
    if len(published) > 1:
        return Finding(
            subject,
            Health.BROKEN,
            f"DNS has {len(published)} TXT records at {name}; leave one only",
        )
    flaws = flaws_of(published[0], key)
    if not flaws:
        return Finding(subject, Health.OK, f"published at {name}")
    told = "; it ".join(flaw.text for flaw in flaws)
    if any(flaw.breaks for flaw in flaws):
        message = f"no signature verifies with the record at {name}: it {told}"
        return Finding(subject, Health.BROKEN, message)
    return Finding(subject, Health.WARNING, f"published at {name}, but it {told}")


def _text_records(name: str, nameserver: str | None) -> list[str]:
    """The TXT records at `name`. Raises `OSError` when nobody answers."""
    import dns.exception
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=nameserver is None)
        if nameserver is not None:
            host, _, port = nameserver.partition(":")
            resolver.nameservers, resolver.port = [host], int(port or 53)
        answer = resolver.resolve(name, "TXT", lifetime=_DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except ValueError as error:
        raise WrongRequest(f"{nameserver!r} is no name server: {error}") from None
    except dns.exception.DNSException as error:
        raise OSError(str(error) or type(error).__name__) from None
    return [b"".join(row.strings).decode("utf-8", "replace") for row in answer]


def _write_private(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise OperationError(f"the key cannot be written to {path}: {error.strerror}") from error
