"""Moves the style sheet into the elements, for mail programs that ignore style sheets.

Uses premailer, once per rendering. It re-encodes what stands in a link (Chinese host names
become percent signs), so it gets to see numbers in place of addresses.
"""

from __future__ import annotations

import logging
import re

_HREF = re.compile(r'href="([^"]*)"')
_HREF_NUMBER = re.compile(r'href="#([0-9]+)"')


def inline_styles(page: str) -> str:
    """`page` with its first style sheet applied; sheets marked `data-premailer="ignore"` stay.

    Links come out exactly as they went in. Nothing is fetched.
    """
    # Here and not above: premailer imports an HTTP client, which no other use of email needs.
    from premailer import Premailer

    addresses: list[str] = []

    def hide(match: re.Match[str]) -> str:
        addresses.append(match[1])
        return f'href="#{len(addresses) - 1}"'

    styled: str = Premailer(
        _HREF.sub(hide, page),
        allow_network=False,
        include_star_selectors=True,
        disable_validation=True,
        disable_leftover_css=True,
        # The template sets these where a mail program needs them.
        disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
        cssutils_logging_level=logging.CRITICAL,
    ).transform(pretty_print=False)
    return _HREF_NUMBER.sub(lambda match: f'href="{addresses[int(match[1])]}"', styled)
