"""What is to be done with a digest: which findings hold it, and which an operator only sees.

`publishable` and this module find; a `Policy`, which operators configure, says what that means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from distributor.digest.findings import quoted
from distributor.digest.model import Digest, ReaderWarning
from distributor.digest.plain import inline_text
from distributor.digest.publishable import HoldReason, reasons_to_hold

#: Codes of findings that hold an edition, in the order in which they are looked for.
HOLDING_CODES = (
    "draft",
    "cut-off",
    "empty",
    "no-content",
    "refusal",
    "error-message",
    "no-news",
    "placeholder-link",
    "code-fence",
    "literal-newline",
    "merge-tag",
    "future-date",
    "old-date",
)
#: Codes of findings that never hold an edition. Those of the reader are not listed: whatever it
#: dropped or guessed has a code of its own.
WARNING_CODES = ("no-link", "repeated-item", "earlier-item", "same-title")

#: A date without a zone may be the one of tomorrow somewhere.
_CLOCKS_DIFFER = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Policy:
    """What findings mean. By default every rule of `HOLDING_CODES` holds."""

    #: Codes that are not reported at all.
    off: frozenset[str] = frozenset()
    #: Codes that are reported and do not hold.
    warn: frozenset[str] = frozenset()
    #: An unattended edition older than this is held.
    max_age: timedelta = timedelta(days=3)

    def holding(self, found: Iterable[HoldReason]) -> tuple[HoldReason, ...]:
        """Those of `found` that hold."""
        return tuple(one for one in found if one.code not in self.off | self.warn)

    def warnings(
        self, found: Iterable[HoldReason], others: Iterable[ReaderWarning]
    ) -> tuple[ReaderWarning, ...]:
        """Those of `found` that only warn, and the `others` that are not off."""
        lowered = [ReaderWarning(r.code, r.message) for r in found if r.code in self.warn]
        return tuple(one for one in (*lowered, *others) if one.code not in self.off)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an edition may go out, and what speaks against it."""

    #: Why it must not go out; empty when it may.
    reasons: tuple[HoldReason, ...]
    #: What an operator should know, and what the reader dropped or guessed.
    warnings: tuple[ReaderWarning, ...]


def judge(digest: Digest, policy: Policy, unattended_at: datetime | None = None) -> Verdict:
    """The verdict on `digest`.

    `unattended_at` is the time when no operator named the edition but a program found it: only
    then its date is judged.
    """
    found = [*reasons_to_hold(digest)]
    if unattended_at is not None:
        found += _of_date(digest, policy, unattended_at)
    return Verdict(
        policy.holding(found), policy.warnings(found, (*digest.warnings, *_of_items(digest)))
    )


def compared(digest: Digest, earlier: Iterable[Digest]) -> tuple[ReaderWarning, ...]:
    """What `digest` has in common with `earlier` editions, the newest of which comes first."""
    before = list(earlier)
    return (*_same_title(digest, before[:1]), *_earlier_items(digest, before))


def _of_date(digest: Digest, policy: Policy, now: datetime) -> Iterator[HoldReason]:
    if digest.date is None:
        return
    written = digest.date.date().isoformat()
    if digest.date > now + _CLOCKS_DIFFER:
        yield HoldReason("future-date", f"the edition is dated {written}, which is in the future")
    if digest.date < now - policy.max_age:
        days = (now - digest.date).days
        yield HoldReason("old-date", f"the edition is dated {written}, {days} days ago")


def _of_items(digest: Digest) -> Iterator[ReaderWarning]:
    without = [item for item in digest.items if not item.url]
    if without:
        first = quoted(inline_text(without[0].title))
        more = f" (and {len(without) - 1} more)" if len(without) > 1 else ""
        yield ReaderWarning("no-link", f"item {without[0].number} {first} has no link{more}")


def _same_title(digest: Digest, earlier: Iterable[Digest]) -> Iterator[ReaderWarning]:
    for one in earlier:
        if digest.title and digest.title == one.title:
            yield ReaderWarning(
                "same-title", f"the last edition had the title {quoted(one.title)} too"
            )


def _earlier_items(digest: Digest, earlier: Iterable[Digest]) -> Iterator[ReaderWarning]:
    """One warning for each earlier edition whose items come again."""
    here = {item.url: item for item in digest.items if item.url}
    shared = Counter(item.url for item in digest.items if item.url)
    for one in earlier:
        again = [here[item.url] for item in one.items if item.url in here and shared[item.url] == 1]
        if again:
            first = f"item {again[0].number} {quoted(inline_text(again[0].title))}"
            more = f" and {len(again) - 1} more" if len(again) > 1 else ""
            yield ReaderWarning(
                "earlier-item", f"{first}{more} stood in {quoted(one.title)} already"
            )
