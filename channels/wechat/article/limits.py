"""What a draft of an Official Account may hold.

https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html
"""

from __future__ import annotations

#: The page says 32 characters. Some accounts refuse more than 64 bytes, with 45003.
TITLE_CHARACTERS = 32
TITLE_BYTES = 64
AUTHOR_CHARACTERS = 16
SUMMARY_CHARACTERS = 120
#: The content must be shorter than this.
CONTENT_CHARACTERS = 20_000
CONTENT_BYTES = 1_000_000
#: A picture inside the content.
PICTURE_BYTES = 1_000_000
