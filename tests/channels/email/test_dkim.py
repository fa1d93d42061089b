"""DKIM signatures, verified by dkimpy and by OpenDKIM, which know nothing of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.account import EmailAccount
from channels.email.assemble import Assembler
from channels.email.dkim import Field
from channels.email.dkim_keys import KeyKind, KeyProblem, generate, load_key, zone_line
from channels.email.render import render
from tests.channels.email.conftest import account_for, chinese_digest, edition_of, reader

NOW = datetime.now(UTC)
PAYLOAD = render(edition_of(chinese_digest())).parts[0].payload
DOMAIN = "news.example.org"


@cache
def pem(kind: KeyKind) -> str:
    return generate(kind)


def signing(*kinds: KeyKind) -> EmailAccount:
    keys: dict[str, str] = {}
    for kind in kinds:
        keys |= {f"dkim_{kind}_selector": f"s-{kind}", f"dkim_{kind}_key": pem(kind)}
    return account_for(from_name="开源日报", reply_to="editor@news.example.org", **keys)


def signed(*kinds: KeyKind, **changes: object) -> bytes:
    return Assembler(signing(*kinds)).assemble(PAYLOAD, reader(**changes), NOW).content


def dns(name: bytes, timeout: int = 5) -> bytes | None:
    """What DNS would say, had the operator published the records."""
    records = {key.record_name(DOMAIN): key.record for key in signing(*KeyKind).signing_keys()}
    found = records.get(name.decode().rstrip("."))
    return found.encode() if found else None


def verifies(content: bytes, number: int = 0) -> bool:
    """Whether dkimpy finds the signature good that stands at this place."""
    try:
        return bool(dkim.DKIM(content).verify(idx=number, dnsfunc=dns))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize("kind", KeyKind)
def test_a_signature_verifies(kind: KeyKind) -> None:
    assert verifies(signed(kind))


def test_a_message_is_signed_with_each_key_there_is() -> None:
    content = signed(KeyKind.RSA, KeyKind.ED25519)

    assert content.count(b"DKIM-Signature: ") == 2
    assert content.count(b"a=rsa-sha256") == content.count(b"a=ed25519-sha256") == 1
    assert verifies(content, 0)
    assert verifies(content, 1)


def test_a_message_without_a_key_is_not_signed() -> None:
    assert b"DKIM-Signature" not in signed()


def test_a_retry_has_the_same_signature() -> None:
    assert signed(*KeyKind) == signed(*KeyKind)


@pytest.mark.parametrize(
    "field", ["List-Unsubscribe", "List-Unsubscribe-Post", "Subject", "From", "To", "Message-ID"]
)
def test_a_field_that_was_changed_breaks_it(field: str) -> None:
    content = signed(KeyKind.RSA)
    start = content.index(f"\r\n{field}: ".encode()) + len(field) + 4

    assert not verifies(content[:start] + b"x" + content[start:])


@pytest.mark.parametrize("field", [b"From: a@b.example", b"Subject: Win", b"Reply-To: a@b.example"])
def test_a_second_field_of_a_kind_breaks_it(field: bytes) -> None:
    assert not verifies(field + b"\r\n" + signed(KeyKind.RSA))


def test_a_body_that_was_changed_breaks_it() -> None:
    content = bytearray(signed(KeyKind.RSA))
    content[-400] ^= 1

    assert not verifies(bytes(content))


def test_a_relay_may_fold_and_pad_header_fields_and_lines() -> None:
    content = signed(KeyKind.RSA)
    folded = content.replace(b"Precedence: bulk", b"PRECEDENCE:\r\n\tbulk ")
    padded = folded.replace(
        b"Content-Transfer-Encoding: base64\r\n\r\n", b"Content-Transfer-Encoding: base64 \r\n\r\n"
    )

    assert padded != content
    assert verifies(padded)


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=120), st.text(max_size=80))
def test_whatever_a_reader_is_called_the_signature_verifies(name: str, city: str) -> None:
    assert verifies(signed(KeyKind.ED25519, name=name, attributes={"city": city}))


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet=" \tabc:;", max_size=40))
def test_the_canonical_form_of_a_field_is_dkimpys(value: str) -> None:
    raw = f"X-Test: a{value}\r\n b{value}c\r\n".encode()
    ((name, canonical),) = dkim.canonicalization.Relaxed.canonicalize_headers(
        [(b"X-Test", raw.partition(b":")[2])]
    )

    assert Field.of(raw).canonical == name + b":" + canonical


class TestOpenDkim:
    """The verifier that many mail servers run."""

    def test_finds_the_signature_good_and_a_changed_header_bad(self, tmp_path: Path) -> None:
        good = signed(KeyKind.RSA)
        bad = good.replace(b"List-Unsubscribe-Post: ", b"List-Unsubscribe-Post: x")

        assert "2048-bit key) succeeded" in _opendkim(tmp_path, good)
        assert "failed: signature verification failed" in _opendkim(tmp_path, bad)


class TestKeys:
    def test_an_rsa_key_has_2048_bits_and_a_record_of_several_strings(self) -> None:
        key = load_key("s1", pem(KeyKind.RSA))

        assert key.record.startswith("v=DKIM1; k=rsa; p=MIIBIjANBgkq")
        line = zone_line(key.record_name(DOMAIN), key.record)
        assert line.startswith('s1._domainkey.news.example.org. IN TXT ( "v=DKIM1; ')
        assert all(len(piece) <= 255 for piece in line.split('"')[1::2])
        assert "".join(line.split('"')[1::2]) == key.record

    def test_a_key_is_read_once(self) -> None:
        assert load_key("s1", pem(KeyKind.RSA)) is load_key("s1", pem(KeyKind.RSA))

    def test_what_is_no_key_is_refused_without_being_repeated(self) -> None:
        with pytest.raises(KeyProblem, match="selector s1 is no private key") as caught:
            load_key("s1", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")
        assert "c2VjcmV0" not in str(caught.value)

    def test_a_key_of_the_other_kind_is_refused(self) -> None:
        account = account_for(dkim_rsa_selector="s1", dkim_rsa_key=pem(KeyKind.ED25519))

        with pytest.raises(KeyProblem, match="is of kind ed25519"):
            account.signing_keys()


def _opendkim(folder: Path, content: bytes) -> str:
    """What OpenDKIM says about a message, as the header that it would add."""
    program = shutil.which("opendkim", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("OpenDKIM is not installed; apt-get install opendkim")
    (key,) = signing(KeyKind.RSA).signing_keys()
    records = folder / "records"
    records.write_text(f"{key.record_name(DOMAIN)} {key.record}\n")
    configuration = folder / "opendkim.conf"
    configuration.write_text(f"TestDNSData {records}\nMode v\nSyslog no\n")
    message = folder / "message.eml"
    # The tool reads a file with the line ends of its system.
    message.write_bytes(content.replace(b"\r\n", b"\n"))
    command = [program, "-x", str(configuration), "-t", str(message)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
