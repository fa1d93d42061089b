"""What differs from reader to reader inside a body: marks in the rendering, filled at sending.

The marks begin with a key made from the edition's revision, the hash of its source, so nothing
that is written in a digest can be one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from channels.base import Recipient
from channels.email.headers import clean


@dataclass(frozen=True, slots=True)
class Marks:
    """Placeholders of one rendering; plain ASCII words that survive HTML and text alike."""

    key: str

    @classmethod
    def of_revision(cls, revision: str) -> Marks:
        """The marks for the digest `revision`."""
        return cls(sha256(f"email marks {revision}".encode()).hexdigest()[:20])

    @property
    def reader(self) -> str:
        """Stands for the reader's name, or address where there is no name."""
        return f"{self.key}-reader"

    @property
    def unsubscribe_url(self) -> str:
        """Stands for the reader's own unsubscribe address."""
        return f"{self.key}-unsubscribe-url"

    @property
    def if_unsubscribe(self) -> str:
        """Begins a passage that is left out when the reader has no unsubscribe address."""
        return f"{self.key}-if-unsubscribe"

    @property
    def end_if(self) -> str:
        """Ends such a passage."""
        return f"{self.key}-end-if"

    def first_in(self, body: str) -> int:
        """Where the part of `body` that differs per reader begins; its length if nowhere."""
        position = body.find(self.key)
        return len(body) if position < 0 else position

    def fill(self, body: str, recipient: Recipient, escape: Callable[[str], str]) -> str:
        """`body` with every mark replaced for `recipient`; `escape` is applied to each value."""
        passage = re.compile(f"{self.if_unsubscribe}(.*?){self.end_if}", re.DOTALL)
        body = passage.sub(r"\1" if recipient.unsubscribe_url else "", body)
        body = body.replace(self.unsubscribe_url, escape(recipient.unsubscribe_url))
        return body.replace(self.reader, escape(clean(recipient.name) or recipient.address))
