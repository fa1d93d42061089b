"""Dovecot, for as long as a test runs: one mailbox over IMAP and POP on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "bounces@news.example.org", "right"
_PATIENCE_SECONDS = 30
#: Dovecot reads no mail as root; this user need not exist.
_OWNER = 64999

_CONFIGURATION = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap pop3
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {pop}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class DovecotMissing(Exception):
    """It is not installed, or cannot be run by this user."""


@dataclass(frozen=True, slots=True)
class Dovecot:
    imap_port: int
    pop_port: int
    maildir: Path

    def receive(self, *messages: bytes) -> None:
        """Put messages into the mailbox, as a mail server delivers them."""
        for octets in messages:
            number = len(list((self.maildir / "new").iterdir()))
            path = self.maildir / "new" / f"{time.time_ns()}.{number}.test"
            path.write_bytes(octets)
            os.chown(path, _OWNER, _OWNER)


@contextmanager
def running(folder: Path) -> Iterator[Dovecot]:
    program = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or os.geteuid() != 0:
        raise DovecotMissing("Dovecot is not installed, or this is not root")
    server = Dovecot(_free_port(), _free_port(), folder / "mail")
    for name in ("new", "cur", "tmp"):
        (server.maildir / name).mkdir(parents=True)
        os.chown(server.maildir / name, _OWNER, _OWNER)
    os.chown(server.maildir, _OWNER, _OWNER)
    folder.chmod(0o755)
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            uid=_OWNER,
            gid=_OWNER,
            password=PASSWORD,
            imap=server.imap_port,
            pop=server.pop_port,
        )
    )
    process = subprocess.Popen([program, "-F", "-c", str(configuration)])
    try:
        _await(server.imap_port)
        _await(server.pop_port)
        yield server
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _await(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
