"""DKIM keys as an operator makes and checks them, with a name server that really answers."""

from __future__ import annotations

import socketserver
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest

from channels.email.account import EmailAccount
from channels.email.dkim_keys import KeyKind
from distributor.operations import dkim
from distributor.operations.dkim import NewKey
from distributor.operations.doctor import Finding, Health
from distributor.operations.errors import OperationError, WrongRequest

DOMAIN = "news.example.org"
Publish = Callable[..., str]


class _Answers(socketserver.BaseRequestHandler):
    server: _NameServer

    def handle(self) -> None:
        octets, sock = self.request
        query = dns.message.from_wire(octets)
        answer = dns.message.make_response(query)
        name = query.question[0].name
        texts = self.server.records.get(name.to_text(omit_final_dot=True))
        if texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            quoted = [" ".join(f'"{t[i : i + 255]}"' for i in range(0, len(t), 255)) for t in texts]
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", quoted))
        sock.sendto(answer.to_wire(), self.client_address)


class _NameServer(socketserver.ThreadingUDPServer):
    records: Mapping[str, list[str]]


@pytest.fixture
def publish() -> Iterator[Publish]:
    """Publishes TXT records; returns where to ask."""
    with _NameServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def start(**records: list[str]) -> str:
            server.records = {f"{name}._domainkey.{DOMAIN}": r for name, r in records.items()}
            return f"127.0.0.1:{server.server_address[1]}"

        yield start
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> NewKey:
    (key,) = dkim.generate_keys(tmp_path_factory.mktemp("keys"), (KeyKind.RSA,), "d1", DOMAIN)
    return key


@pytest.fixture
def account(made: NewKey) -> EmailAccount:
    return EmailAccount.model_validate(
        {
            "name": "relay",
            "from_address": f"daily@{DOMAIN}",
            "dkim_rsa_selector": "d1",
            "dkim_rsa_key": made.path.read_text(),
        }
    )


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_private_key_is_for_its_owner_alone_and_never_overwritten(made: NewKey) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    with pytest.raises(OperationError, match="is not overwritten"):
        dkim.generate_keys(made.path.parent, (KeyKind.RSA,), "d1", DOMAIN)


def test_a_key_that_dns_publishes_is_well(
    account: EmailAccount, made: NewKey, publish: Publish
) -> None:
    finding = only(dkim.check(account, publish(d1=[made.key.record])))

    assert (finding.health, finding.message) == (Health.OK, f"published at d1._domainkey.{DOMAIN}")


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({}, "has no TXT record at"),
        ({"d1": ["v=DKIM1; k=rsa; p=MIIB"]}, "it holds another key"),
        ({"d1": ["v=DKIM1; p="]}, "it holds a revoked key"),
        ({"d1": ["v=DKIM1; p=a", "v=DKIM1; p=b"]}, "has 2 TXT records at"),
    ],
)
def test_a_key_that_dns_does_not_publish_is_broken(
    account: EmailAccount, publish: Publish, records: dict[str, list[str]], words: str
) -> None:
    finding = only(dkim.check(account, publish(**records)))

    assert finding.health is Health.BROKEN
    assert words in finding.message


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("v=DKIM2; p={p}", "says v=DKIM2, which verifiers ignore; write v=DKIM1"),
        ("p={p}; v=DKIM1", "has v= after another tag; write it first"),
        ("v=DKIM1; k=ed25519; p={p}", "says k=ed25519, and the key is of kind rsa; write k=rsa"),
        ("v=DKIM1; h=sha1; p={p}", "says h=sha1, which leaves out sha256; take h= out"),
        ("v=DKIM1; s=tlsrpt; p={p}", "says s=tlsrpt, which leaves out email; take s= out"),
        ("v=DKIM1; k=rsa; k=rsa; p={p}", "has the tag k= twice; leave one"),
        ("v=DKIM1; rsa; p={p}", "has 'rsa', which is no tag; take it out"),
    ],
)
def test_a_record_with_which_no_signature_verifies_is_broken(
    account: EmailAccount, made: NewKey, publish: Publish, form: str, words: str
) -> None:
    finding = only(dkim.check(account, publish(d1=[form.format(p=made.key.public)])))

    assert finding.health is Health.BROKEN
    assert finding.message == (
        f"no signature verifies with the record at d1._domainkey.{DOMAIN}: it {words}"
    )


def test_everything_that_is_wrong_with_a_record_is_told_at_once(
    account: EmailAccount, made: NewKey, publish: Publish
) -> None:
    record = f"v=DKIM1; k=ed25519; h=sha1; s=nosuch; t=y; p={made.key.public}"

    message = only(dkim.check(account, publish(d1=[record]))).message

    assert all(words in message for words in ("k=rsa", "h=sha1", "s=nosuch", "t=y"))


@pytest.mark.parametrize(
    "form",
    [
        "p={p}",
        "v = DKIM1 ; p = {p} ;",
        "v=DKIM1; h=sha1:sha256; s=email:other; t=s; n=a note; p={p}",
        "v=DKIM1; s=*; p={p}",
    ],
)
def test_what_a_record_may_say_or_leave_out_is_no_flaw(
    account: EmailAccount, made: NewKey, publish: Publish, form: str
) -> None:
    finding = only(dkim.check(account, publish(d1=[form.format(p=made.key.public)])))

    assert finding.health is Health.OK


def test_a_record_for_testing_is_warned_of(
    account: EmailAccount, made: NewKey, publish: Publish
) -> None:
    record = f"v=DKIM1; t=y:s; p={made.key.public}"

    finding = only(dkim.check(account, publish(d1=[record])))

    assert finding.health is Health.WARNING
    assert "take t=y out" in finding.message


def test_an_ed25519_record_has_to_name_its_kind(tmp_path: Path, publish: Publish) -> None:
    (key,) = dkim.generate_keys(tmp_path, (KeyKind.ED25519,), "d1", DOMAIN)
    account = EmailAccount.model_validate(
        {
            "name": "relay",
            "from_address": f"daily@{DOMAIN}",
            "dkim_ed25519_selector": key.key.selector,
            "dkim_ed25519_key": key.path.read_text(),
        }
    )
    where = publish(**{key.key.selector: [f"v=DKIM1; p={key.key.public}"]})

    finding = only(dkim.check(account, where))

    assert finding.health is Health.BROKEN
    assert "has no k=, which means rsa" in finding.message


@pytest.mark.parametrize(
    "selector", ["a/../../b", 'bad sel"x', "", "a.", ".a", "-a", "a_b", "s" * 64, "s" * 60]
)
def test_a_selector_that_cannot_stand_in_dns_makes_nothing(tmp_path: Path, selector: str) -> None:
    with pytest.raises(WrongRequest, match="cannot stand in DNS"):
        dkim.generate_keys(tmp_path / "keys", tuple(KeyKind), selector, DOMAIN)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("domain", ['not a domain"; evil', "", "localhost", "a..example"])
def test_a_domain_that_is_none_makes_nothing(tmp_path: Path, domain: str) -> None:
    with pytest.raises(WrongRequest, match=r"--domain .* is not a valid host name"):
        dkim.generate_keys(tmp_path / "keys", tuple(KeyKind), "d1", domain)

    assert list(tmp_path.iterdir()) == []


def test_the_record_of_a_domain_in_other_letters_stands_under_its_ascii_form(
    tmp_path: Path,
) -> None:
    (key,) = dkim.generate_keys(tmp_path, (KeyKind.ED25519,), "d1", "Bücher.example")

    assert key.record_name == "d1-ed25519._domainkey.xn--bcher-kva.example"


def test_an_account_without_keys_is_told_how_to_make_some() -> None:
    account = EmailAccount.model_validate({"name": "relay", "from_address": f"daily@{DOMAIN}"})

    assert "distributor dkim generate" in only(dkim.check(account)).message


def test_a_broken_key_is_found_without_asking_dns(account: EmailAccount) -> None:
    broken = EmailAccount.model_validate({**account.model_dump(), "dkim_rsa_key": "no key"})

    assert "is no private key" in only(dkim.check(broken)).message
