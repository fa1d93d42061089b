"""The pipeline that everybody writes first, as the baseline: `python -m distributor.bench.naive`.

For every recipient it renders the template, inlines the styles with premailer, builds an
`EmailMessage`, signs it with dkimpy, and hands it over with smtplib.
"""

from __future__ import annotations

import smtplib
import sys
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from channels.base import Edition, Publisher, Recipient
from channels.email.personal import Marks, Personal
from channels.email.render import render
from distributor.operations.demo import sample_digest
from distributor.operations.editions import load
from distributor.operations.errors import OperationError
from distributor.settings import Settings
from distributor.templating import Templates

_DOMAIN = "news.example.org"


def main() -> None:
    """Arguments: port, number of messages, file with an RSA key or `-`. Prints the seconds."""
    port, number, key = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    pem = None if key == "-" else Path(key).read_bytes()
    edition = Edition(
        load(sample_digest(), Settings()).digest,
        f"https://{_DOMAIN}/editions/1",
        Publisher("AI 资讯速递", "北京市海淀区中关村大街 1 号"),
        Templates(),
    )
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for place in range(number):
            reader = f"reader-{place}@readers.example"
            server.sendmail(f"daily@{_DOMAIN}", reader, _message(edition, reader, pem))
    print(time.perf_counter() - began)  # noqa: T201


def _message(edition: Edition, reader: str, pem: bytes | None) -> bytes:
    payload = render(edition).parts[0].payload
    marks = Marks(payload["key"])
    url = f"https://{_DOMAIN}/unsubscribe/{reader}"
    recipient = Recipient(reader, "1", unsubscribe_url=url)
    message = EmailMessage()
    message["From"] = f"AI 资讯速递 <daily@{_DOMAIN}>"
    message["To"] = reader
    message["Subject"] = Personal.of_text(payload["subject"], marks).fill(recipient)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=_DOMAIN)
    message["List-Unsubscribe"] = f"<{url}>"
    message.set_content(Personal.of_text(payload["text"], marks).fill(recipient))
    page = Personal.of_html(payload["html"], marks).fill(recipient)
    message.add_alternative(page, subtype="html")
    octets = message.as_bytes().replace(b"\n", b"\r\n")
    return octets if pem is None else _sign(octets, pem) + octets


def _sign(octets: bytes, pem: bytes) -> bytes:
    try:
        import dkim
    except ImportError as error:
        raise OperationError("the baseline signs with dkimpy; install it with: make dev") from error
    signature: bytes = dkim.sign(octets, b"d1", _DOMAIN.encode(), pem)
    return signature


if __name__ == "__main__":
    main()
