"""Which language an edition is in, told by its writing systems."""

from __future__ import annotations

import re
from collections import Counter

#: Script → language, where the script alone tells it well enough.
_SCRIPTS: dict[str, re.Pattern[str]] = {
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "ja": re.compile(r"[\u3041-\u3096\u30a1-\u30fa]"),
    "ko": re.compile(r"[\uac00-\ud7a3]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "he": re.compile(r"[\u05d0-\u05ea]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "en": re.compile(r"[A-Za-z\u00c0-\u024f]"),
}
#: Letters of an average word, so that scripts of syllables and of letters compare fairly.
_LETTERS_PER_WORD = {"en": 5, "ru": 5, "el": 5, "ar": 4, "he": 4, "hi": 4, "th": 4}
#: Kana are at least this part of Japanese text; Chinese text quotes a name at most.
_KANA_SHARE = 0.05
_PERSIAN = re.compile("[پچژگ]")
_ARABIC_ONLY = re.compile("[ةيكىأإ]")
_TRADITIONAL = re.compile("[這們為國來時說會發個對開過還學與後將經現機資產動業應該實]")
_SIMPLIFIED = re.compile("[这们为国来时说会发个对开过还学与后将经现机资产动业应该实]")
_TAG = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{2,8})*)")
#: Tags without a region that people write for the one this program speaks of.
_COMPLETED = {"zh": "zh-CN", "cn": "zh-CN", "zh-hans": "zh-CN", "zh-hant": "zh-TW", "jp": "ja"}


def named_language(text: str) -> str | None:
    """The BCP 47 tag that `text` stands for (`zh_cn` → `zh-CN`), or None if it is no tag."""
    tag = text.strip().replace("_", "-")
    if completed := _COMPLETED.get(tag.lower()):
        return completed
    match = _TAG.fullmatch(tag)
    if not match:
        return None
    subtags = match[2].split("-")[1:]
    return "-".join((match[1].lower(), *(_cased(subtag) for subtag in subtags)))


def detect_language(text: str) -> str:
    """The BCP 47 tag of the language that most of `text` is in; `en` when nothing tells.

    Latin letters count as English: front matter has to name any other language they write.
    """
    words = Counter(
        {
            language: len(pattern.findall(text)) / _LETTERS_PER_WORD.get(language, 1)
            for language, pattern in _SCRIPTS.items()
        }
    )
    east_asian = words["han"] + words["ja"]
    is_japanese = words["ja"] > east_asian * _KANA_SHARE
    words["ja" if is_japanese else "han"] = east_asian
    words["han" if is_japanese else "ja"] = 0
    language, weight = max(words.items(), key=lambda entry: entry[1])
    if not weight:
        return "en"
    return _refined(language, text)


def _refined(language: str, text: str) -> str:
    if language == "han":
        traditional, simplified = len(_TRADITIONAL.findall(text)), len(_SIMPLIFIED.findall(text))
        return "zh-TW" if traditional > simplified else "zh-CN"
    if language == "ar" and len(_PERSIAN.findall(text)) > len(_ARABIC_ONLY.findall(text)):
        return "fa"
    return language


def _cased(subtag: str) -> str:
    """Casing that RFC 5646 section 2.1.1 recommends: `CN` for regions, `Hant` for scripts."""
    if len(subtag) == 2:  # noqa: PLR2004
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 else subtag.lower()  # noqa: PLR2004
