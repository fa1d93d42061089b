"""DKIM keys as an operator makes and checks them, with a name server that really answers."""

from __future__ import annotations

import socketserver
import stat
import threading
from collections.abc import Callable, Iterator, Mapping

import dns.message
import dns.rcode
import dns.rrset
import pytest

from channels.email.account import EmailAccount
from channels.email.dkim_keys import KeyKind
from distributor.operations import dkim
from distributor.operations.dkim import NewKey
from distributor.operations.doctor import Finding, Health
from distributor.operations.errors import OperationError

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
    (key,) = dkim.generate_keys(tmp_path_factory.mktemp("keys"), (KeyKind.RSA,), "d1")
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
        dkim.generate_keys(made.path.parent, (KeyKind.RSA,), "d1")


def test_a_key_that_dns_publishes_is_well(
    account: EmailAccount, made: NewKey, publish: Publish
) -> None:
    finding = only(dkim.check(account, publish(d1=[made.key.record])))

    assert (finding.health, finding.message) == (Health.OK, f"published at d1._domainkey.{DOMAIN}")


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({}, "has no TXT record at"),
        ({"d1": ["v=DKIM1; k=rsa; p=MIIB"]}, "has another key at"),
        ({"d1": ["v=DKIM1; p="]}, "has a revoked key at"),
        ({"d1": ["v=DKIM1; p=a", "v=DKIM1; p=b"]}, "has 2 TXT records at"),
    ],
)
def test_a_key_that_dns_does_not_publish_is_broken(
    account: EmailAccount, publish: Publish, records: dict[str, list[str]], words: str
) -> None:
    finding = only(dkim.check(account, publish(**records)))

    assert finding.health is Health.BROKEN
    assert words in finding.message


def test_an_account_without_keys_is_told_how_to_make_some() -> None:
    account = EmailAccount.model_validate({"name": "relay", "from_address": f"daily@{DOMAIN}"})

    assert "distributor dkim generate" in only(dkim.check(account)).message


def test_a_broken_key_is_found_without_asking_dns(account: EmailAccount) -> None:
    broken = EmailAccount.model_validate({**account.model_dump(), "dkim_rsa_key": "no key"})

    assert "is no private key" in only(dkim.check(broken)).message
