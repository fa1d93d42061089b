"""This machine is reached directly, whatever proxy the environment names."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

#: Names and addresses under which a machine reaches itself.
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def bypass_proxies(environ: MutableMapping[str, str] = os.environ) -> None:
    """Add this machine to the hosts that `no_proxy` in `environ` names.

    Company networks often set `http_proxy` alone, and a proxy cannot reach our sandbox. Every
    HTTP client here reads the variable, and so do the processes that inherit it.
    """
    # Clients read the lower-case variable first.
    named = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if named.strip() != "*":
        hosts = [host for host in (part.strip() for part in named.split(",")) if host]
        environ["no_proxy"] = ",".join(dict.fromkeys((*hosts, *LOOPBACK)))
