"""The words that news digests use for the same few things, in the languages that we have seen.

One place for each: what a link is called that has no title of its own, what stands before a
source or a date, what heads the editor's words, and which sections hold no news.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

#: Words longer than this are never matched: they say something of their own.
_LONGEST_LABEL = 40

_GENERIC_LINK = re.compile(
    r"\W*(?:(?:长按|扫码|扫描)?(?:识别)?二维码(?:查看原文|阅读原文)?|(?:消息|信息|新闻|文章"
    r"|资料|官方|相关)?(?:来源|來源|出处|出處)|原文(?:链接|地址"
    r"|連結)?|(?:阅读|閱讀|查看|点击|點擊)"
    r"(?:原文|全文|更多|详情|詳情|链接|这里|此处|查看)*|(?:项目|論文|论文|视频|文章|仓库|代码"
    r"|官网|原文|详情)?"
    r"(?:链接|連結|鏈接|网址|網址|地址|主页|主頁)|详情|詳情|更多|全文|这里|此处|传送门|官网"
    r"|仓库|论文|代码|项目"
    r"|(?:リンク|ソース|元|記事|出典|引用元?|参照|参考|続き|全文|原文|公式|詳細|詳しく|こちら|もっと"
    r"|を|は|の|へ|で|から|読む|見る){1,6}"
    r"|(?:출처|링크|원문|기사|뉴스|전체|본문|자세히|더|바로|보기|보러|가기|읽기|[ ]){1,6}"
    r"|المصدر|مصدر|رابط|الرابط|اقرأ المزيد|المزيد|منبع|لینک|ادامه مطلب|מקור|קישור|לקריאה|קרא עוד"
    r"|escuchar|ouvir|écouter|regarder|anhören|ansehen|слушать|смотреть"
    r"|источники?|ссылка|подробнее|оригинал|читать(?: (?:далее|полностью|дальше|статью|оригинал))*"
    r"|(?:read|view|see|visit|open|check|click|continue|go|watch|listen)(?: (?:more|it|out|to|on|at"
    r"|here|in|the|this|full|original|complete|entire|whole|reading|article|story|post|source"
    r"|paper|details?|text|report|announcement|blog|thread|discussion|video|repo|page|site|website"
    r"|github|arxiv|hacker|news|hn|pdf)){1,6}"
    r"|(?:read|learn|see|find out|click)?[ ]?(?:the )?(?:full |original |whole )?"
    r"(?:sources?|links?|url|via|here|read|more|original|article|story|post|blog|announcement"
    r"|paper|pdf|html|abs"
    r"|abstract|arxiv|doi|code|github|repo|repository|website|site|homepage|project page|demo"
    r"|video|watch|listen"
    r"|hn|hacker news|discuss|discussions?|comments?|thread|tweet|permalink|on)"
    r"|(?:liens?|lire(?: (?:la suite|plus|l['’]article))?|fuentes?|enlace|(?:leer|ver)(?: (?:más"
    r"|el|la|artículo|noticia|completo|completa|fuente|original)){1,4}|quellen?|mehr|weiterlesen"
    r"|(?:zum|zur|ganzen|mehr|artikel|quelle|lesen|erfahren|original|[ ]){2,7}|fontes?"
    r"|(?:leia|ler|ver)(?: (?:mais|a|o|artigo|notícia|completa|completo|fonte)){1,4}|bron)"
    r"|[\d.v/:#\-]+)\W*(?:\((?:briefing|[a-z.]{2,20})\)|\W)*",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"\W*((?:[a-z\d-]{1,30}\.){1,3}[a-z]{2,6})\W*(?:\((?:briefing|[a-z.]{2,20})\)|\W)*",
    re.IGNORECASE,
)
#: An address without its scheme.
_ADDRESS = re.compile(r"(?:[\w-]{1,63}\.){1,4}[a-z]{2,10}/\S*", re.IGNORECASE)
#: Libraries have such names: “three.js”.
_CODE_SUFFIX = re.compile(r"\.(?:js|ts|py|rs|jl|net)", re.IGNORECASE)
_FIELD_LABEL = re.compile(
    r"\W*(?:(?:[^\W\d]{0,8}[ ]?)?(?:来源|來源|原文|链接|連結|鏈接|出处|网址|地址|リンク|ソース"
    r"|原文|出典|출처|링크|원문)"
    r"|(?:发布|更新|公開|発表|预测|预计)?(?:时间|時間|時刻|日期|日付|日時|概率|依据)|作者|编辑"
    r"|状态|狀態|配图|责编|投稿|[^\W\d]{0,6}(?:归档|订阅(?:新闻|地址)?)|机构|媒体|著者|摘要|概要|要約|简介"
    r"|评分|热度"
    r"|分类|分類|类型|标签|关键词|キーワード|推荐理由|推荐指数|影响|意义|点评|作用|优先级"
    r"|核心[^\W\d]{0,4}|날짜|저자|요약"
    r"|sources?|(?:original |article |project |paper |github )?(?:links?|url)|via|read more"
    r"|dates?|published(?: on| at)?"
    r"|posted|updated|authors?|by|summary|abstract|tags?|topics?|keywords?|categor(?:y|ies)"
    r"|score|points|votes|stars?|forks"
    r"|comments|language|license|why(?: it)? matters|why this matters|impact|relevance"
    r"|key (?:points?|takeaways?)|tl;?dr"
    r"|difficulty|duration|location|when|where|doi|arxiv|venue|status|fuente|quelle|lien"
    r"|источник|дата|автор"
    r"|المصدر|رابط|התאריך|מקור|منبع)\W{0,3}",
    re.IGNORECASE,
)
_COMMENTARY = re.compile(
    r"\W*(?:(?:今日|本期|本周|每日|编辑|小编|专家|资深|行业|AI|总编|主编|編集部?|個人的)*"
    r"(?:点评|短评|锐评|評論|评论|观察|總結|总结|小结|结语|結語|编者按|编后语|编后记|编者的话"
    r"|写在最后|写在最後|我的观点|感想|所感|まとめ"
    r"|編集後記|あとがき|おわりに|総評|총평|마치며|맺음말)(?:\s*/\s*写在最后)?"
    r"|editor['’]?s? (?:note|comment|comments|commentary|take)|заключение|итоги"
    r"|commentary|our take|my take|closing (?:thoughts|words|notes)|final (?:thoughts|words)"
    r"|conclusion|wrap(?:ping)?[- ]?up"
    r"|the bottom line|takeaways?|fazit|conclusi[oó]n|الخاتمة|خاتمة|סיכום)\W*",
    re.IGNORECASE,
)
_NO_NEWS_SECTION = re.compile(
    r"\W*(?:本期|本周|快速|相关|参考|文章|内容|往期|更多)*(?:目录|目錄|目次|导航|導航"
    r"|参考(?:资料|链接|文献)?|引用|往期(?:回顾|推荐|内容|周刊)?"
    r"|历史上的本周|关注(?:我们|公众号)?|本期编辑|编辑团队|说明|订阅(?:方式|本刊|我们|渠道)?"
    r"|訂閱|关于(?:我们|本刊|本站|作者)?|關於|联系(?:我们|方式)|致谢|贡献者|版权(?:声明)?|声明"
    r"|友情链接|购读|購読|バックナンバー|参考(?:文献|リンク)|출처 목록|구독"
    r"|(?:table of )?contents|toc|in this (?:issue|edition|newsletter)|navigation"
    r"|quick (?:links|nav(?:igation)?)"
    r"|(?:previous|past|older|other) (?:issues|editions|newsletters)|archives?|subscribe"
    r"|subscription|unsubscribe|follow us"
    r"|about(?: (?:us|this newsletter))?|contact(?: us)?|new contributors|contributors"
    r"|thanks(?: to)?|acknowledge?ments|credits"
    r"|(?:our )?sponsors?(?:ed)?(?: (?:message|link|content)s?)?|ads?|广告|赞助(?:商)?"
    r"|スポンサー|references|(?:data )?sources?|footnotes|disclaimer|license|содержание|inhalt"
    r"|sommaire"
    r"|índice)\W*",
    re.IGNORECASE,
)


def is_generic_link(words: str, address: str = "") -> bool:
    """Whether a link's words say only that it is one: “消息来源”, “Read more”, “2401.01234v1”.

    The name of a host does so too, unless `address` tells that it is a product's: “Next.js”.
    """
    is_address = words.lower().startswith(("http://", "https://")) or _ADDRESS.fullmatch(words)
    if is_address or _matches(_GENERIC_LINK, words):
        return True
    host = _HOST.fullmatch(words) if len(words) <= _LONGEST_LABEL else None
    return host is not None and _is_source(host[1], address)


def _is_source(host: str, address: str) -> bool:
    """Whether the name of a host tells where a story is from; a site's own page is a story."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return True
    if (parts.hostname or "").endswith(host.lower()):
        return bool(parts.path.strip("/"))
    return not address or (host.islower() and not _CODE_SUFFIX.search(host))


def is_field_label(words: str) -> bool:
    """Whether `words`, which a colon follows, name a field of a story: “来源”, “Published”."""
    return _matches(_FIELD_LABEL, words)


def is_commentary_label(words: str) -> bool:
    """Whether `words` head the editor's own words: “点评”, “Editor's note”."""
    return _matches(_COMMENTARY, words)


def holds_no_news(heading: str) -> bool:
    """Whether the section below `heading` lists no stories: “目录”, “Subscribe”, “References”."""
    return _matches(_NO_NEWS_SECTION, heading)


def _matches(pattern: re.Pattern[str], words: str) -> bool:
    return len(words) <= _LONGEST_LABEL and bool(pattern.fullmatch(words))
