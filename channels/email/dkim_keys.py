"""DKIM keys: read from PEM, made anew, and shown as the DNS record that publishes them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

#: RFC 8301, section 3.2: verifiers may ignore shorter ones, and signers should use 2048 bits.
_SHORTEST_RSA_BITS, RSA_BITS = 1024, 2048
#: One string of a TXT record holds so many octets (RFC 1035, section 3.3.14).
_TXT_STRING = 255


class KeyProblem(Exception):
    """A key that cannot sign; the text says why and never repeats the key."""


class KeyKind(StrEnum):
    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key under the selector that its public half is published at."""

    selector: str
    kind: KeyKind
    #: Signs octets as RFC 6376 and RFC 8463 ask; the same octets give the same signature.
    sign: Callable[[bytes], bytes]
    #: The public half as the `p=` tag has it.
    public: str

    @property
    def algorithm(self) -> str:
        """The `a=` tag."""
        return f"{self.kind}-sha256"

    @property
    def record(self) -> str:
        """The TXT record (RFC 6376, section 3.6.1)."""
        return f"v=DKIM1; k={self.kind}; p={self.public}"

    def record_name(self, domain: str) -> str:
        """Where the record stands."""
        return f"{self.selector}._domainkey.{domain}"


@lru_cache(maxsize=64)
def load_key(selector: str, pem: str) -> SigningKey:
    """The key in `pem`. Takes 40 ms for RSA, so that every key is loaded once.

    Raises `KeyProblem`.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyProblem(
            f"the DKIM key of selector {selector} is no private key in PEM form without a "
            "password; make one with: distributor dkim generate"
        ) from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < _SHORTEST_RSA_BITS:
            raise KeyProblem(
                f"the DKIM key of selector {selector} has {key.key_size} bits, which mailbox "
                "providers ignore; make one of 2048 with: distributor dkim generate"
            )
        return _rsa(selector, key)
    if isinstance(key, Ed25519PrivateKey):
        return _ed25519(selector, key)
    raise KeyProblem(f"the DKIM key of selector {selector} is neither RSA nor ed25519")


def generate(kind: KeyKind) -> str:
    """A new private key as PEM: RSA with 2048 bits, or ed25519."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    key: RSAPrivateKey | Ed25519PrivateKey
    if kind is KeyKind.RSA:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def zone_line(name: str, record: str) -> str:
    """The record as a line of a zone file: longer ones are written in several strings."""
    pieces = [record[i : i + _TXT_STRING] for i in range(0, len(record), _TXT_STRING)]
    strings = " ".join(f'"{piece}"' for piece in pieces)
    return f"{name}. IN TXT ( {strings} )"


def _rsa(selector: str, key: RSAPrivateKey) -> SigningKey:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    padding, algorithm = PKCS1v15(), hashes.SHA256()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(
        selector,
        KeyKind.RSA,
        lambda octets: key.sign(octets, padding, algorithm),
        base64.b64encode(public).decode(),
    )


def _ed25519(selector: str, key: Ed25519PrivateKey) -> SigningKey:
    from hashlib import sha256

    # RFC 8463, section 3: what is signed is the hash, and the record holds the bare key.
    return SigningKey(
        selector,
        KeyKind.ED25519,
        lambda octets: key.sign(sha256(octets).digest()),
        base64.b64encode(key.public_key().public_bytes_raw()).decode(),
    )
