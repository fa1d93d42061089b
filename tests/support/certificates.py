"""A server's certificate that nobody vouches for."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Certificate:
    #: For a server.
    context: ssl.SSLContext
    #: For whoever trusts it: in PEM.
    file: Path


def make(folder: Path) -> Certificate:
    """A certificate of its own making for localhost and 127.0.0.1, kept in `folder`."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command makes the test certificate and is not installed")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
        f"-keyout {key} -out {cert}".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return Certificate(context, cert)
