"""What a picture is drawn of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from distributor.digest.gist import edition_title
from distributor.digest.labels import Labels, labels_for
from distributor.digest.model import Digest

#: "2025.12.03 " or, for an edition of an hour, "2025.12.03.08 " before the title proper.
_STAMP = re.compile(r"^\d{4}[./-]\d{1,2}[./-]\d{1,2}(?:[./-](?P<hour>\d{2}))?\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Subject:
    """An edition as pictures need it."""

    digest: Digest
    #: Who publishes it.
    publisher: str
    #: Where it can be read on the web; a QR code leads there.
    web_url: str
    #: Colours by their names in `templates/tokens.toml`.
    look: Mapping[str, str]

    @property
    def labels(self) -> Labels:
        """The few words of our own, in the edition's language."""
        return labels_for(self.digest.language)

    @property
    def title(self) -> str:
        """The title without a date in front of it that the picture shows on its own."""
        title = edition_title(self.digest, self.publisher)
        stamp = _STAMP.match(title)
        return title[stamp.end() :] if stamp and self.digest.date else title

    @property
    def day(self) -> str:
        """The number of the day in two digits; empty without a date."""
        return f"{self.digest.date.day:02}" if self.digest.date else ""

    @property
    def month(self) -> str:
        """Month and weekday and, for an edition of an hour, the hour; empty without a date."""
        if self.digest.date is None:
            return ""
        stamp = _STAMP.match(edition_title(self.digest, self.publisher))
        hour = f" {stamp['hour']}:00" if stamp and stamp["hour"] else ""
        return self.labels.month_of(self.digest.date) + hour

    @property
    def site(self) -> str:
        """The host of the web edition, as people read it."""
        try:
            return (urlsplit(self.web_url).hostname or "").removeprefix("www.")
        except ValueError:
            return ""
