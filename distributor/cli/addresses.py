"""Commands that take an address, which may look like an option."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

#: The id of a Telegram group; no option is a number.
_GROUP_ID = re.compile(r"-\d+", re.ASCII)


class AddressCommand(TyperCommand):
    """A command whose argument may be `-1001234567`, with no `--` before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # Only then, so that a mistyped option is else reported as one.
        ctx.ignore_unknown_options = any(map(_GROUP_ID.fullmatch, args))
        return super().parse_args(ctx, args)
