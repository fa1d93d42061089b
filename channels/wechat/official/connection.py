"""Takes an edition through the steps to an article, one part at a time.

No step is idempotent on the platform's side but the mass send, so that each looks first for what an
earlier try may have made: the draft by the edition's address in it, the publication by the draft
that is gone. A step that was not answered can therefore simply be tried again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from channels.base import AWAITS_PERSON, Fault, Outcome, Part, Recipient, Verdict
from channels.optional import SharedStore
from channels.webhook import Answer, NotAnswered, NotSent
from channels.wechat.account import WeChatAccount
from channels.wechat.calls import Calls
from channels.wechat.errcodes import OFFICIAL
from channels.wechat.official import drafts
from channels.wechat.official.drafts import NO_PICTURE
from channels.wechat.official.pictures import NoPicture, fetch
from channels.wechat.replies import errcode_of, read_reply
from channels.wechat.tokens import NoToken

#: Where a person finds the draft.
CONSOLE_URL = "https://mp.weixin.qq.com/"
#: In place of a publication's id: a person publishes the draft.
BY_HAND = "by-hand"
#: The account may not publish by a call, or this draft may not.
_A_PERSON_HAS_TO = frozenset({48001, 53503, 53504, 53505})
_NO_SUCH_MEDIA = 40007
_TITLE_TOO_LONG = "wechat-45003"
_POLL_SECONDS = 15
_CLIENT_ID_BYTES = 64

#: `publish_status` of freepublish/get that are final, beside 0 for success.
#: https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_status.html
_NOT_PUBLISHED = {
    2: "the check for original content failed",
    3: "publishing failed",
    4: "the platform's review refused it",
    5: "it was published, and then deleted by hand",
    6: "it was published, and then banned by the platform",
}
_RUNNING = 1
_MASS_RUNNING = ("SENDING", "SEND_RUNNING")
_MASS_SENT = ("SEND_SUCCESS", "SUCCESS")


class OfficialConnection:
    """The way to one Official Account. Connects when first used."""

    def __init__(self, account: WeChatAccount) -> None:
        self._calls = Calls(account)
        self._steps: Mapping[str, Callable[[Mapping[str, Any], Recipient], Outcome]] = {
            "cover": self._cover,
            "picture": self._picture,
            "draft": self._draft,
            "publish": self._publish,
            "published": self._published,
            "mass": self._mass,
            "mass-sent": self._mass_sent,
        }

    def share(self, store: SharedStore) -> None:
        """Keep the account's token where other workers find it."""
        self._calls.share(store)

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Take one step. What the steps before it made is in `recipient.accepted`."""
        try:
            return self._steps[part.payload["step"]](part.payload, recipient)
        except NoToken as error:
            return error.outcome
        except NotSent as error:
            return OFFICIAL.not_sent(str(error))
        except NotAnswered as error:
            # The next try looks for what this one may have made.
            return replace(OFFICIAL.not_answered(str(error)), verdict=Verdict.RETRYING)

    def close(self) -> None:
        """Close what is open; a later delivery connects again."""
        self._calls.close()

    def _cover(self, payload: Mapping[str, Any], recipient: Recipient) -> Outcome:  # noqa: ARG002
        content = base64.b64decode(payload["base64"])
        answer = self._calls.upload(
            "/cgi-bin/material/add_material", payload["name"], content, {"type": "image"}
        )
        return _made(answer, "media_id")

    def _picture(self, payload: Mapping[str, Any], recipient: Recipient) -> Outcome:  # noqa: ARG002
        try:
            name, content = fetch(payload["url"])
        except NoPicture as error:
            # An article is worth more without a picture than not at all.
            reply = f"the picture {payload['url'][:200]} is left out: {error}"
            return Outcome(Verdict.SENT, "picture-left-out", reply, message_id=NO_PICTURE)
        return _made(self._calls.upload("/cgi-bin/media/uploadimg", name, content), "url")

    def _draft(self, payload: Mapping[str, Any], recipient: Recipient) -> Outcome:
        article = drafts.with_pictures(payload, recipient.accepted)
        found = self._find_draft(article)
        if isinstance(found, Outcome):
            return found
        if found is not None:
            return self._read_back(found, article, ends_here=payload["ends_here"])
        added = self._add_draft(article)
        if added.code == _TITLE_TOO_LONG and payload["short_title"] != article["title"]:
            article = {**article, "title": payload["short_title"]}
            added = self._add_draft(article)
        if added.message_id is None:
            return added
        return self._read_back(added.message_id, article, ends_here=payload["ends_here"])

    def _add_draft(self, article: Mapping[str, Any]) -> Outcome:
        return _made(self._calls.post("/cgi-bin/draft/add", {"articles": [article]}), "media_id")

    def _find_draft(self, article: Mapping[str, Any]) -> str | Outcome | None:
        """The draft that an earlier try may have added, among the newest."""
        body = {"offset": 0, "count": 20, "no_content": 1}
        answer = self._calls.post("/cgi-bin/draft/batchget", body)
        if errcode_of(answer) not in (None, 0) or answer.json is None:
            return read_reply(answer, OFFICIAL)
        return drafts.find(answer.json, article)

    def _read_back(self, media_id: str, article: Mapping[str, Any], *, ends_here: bool) -> Outcome:
        answer = self._calls.post("/cgi-bin/draft/get", {"media_id": media_id})
        said = answer.json
        if said is None or "news_item" not in said:
            return read_reply(answer, OFFICIAL)
        link, differences = drafts.compare(said, article)
        reply = f"draft {media_id}: {'; '.join(differences) or 'kept as it was sent'}"
        if ends_here:
            return _by_hand(media_id, f"{reply}. {link}")
        return Outcome(Verdict.SENT, "ok", reply, message_id=media_id)

    def _publish(self, payload: Mapping[str, Any], recipient: Recipient) -> Outcome:
        media_id = recipient.accepted[-1]
        draft = self._calls.post("/cgi-bin/draft/get", {"media_id": media_id})
        if draft.json is not None and "news_item" not in draft.json:
            # It was submitted, by an earlier try or by hand: both are what was wanted.
            if errcode_of(draft) != _NO_SUCH_MEDIA:
                return read_reply(draft, OFFICIAL)
            published = self._find_published(payload["source_url"])
            return published or _not_yet("looking for the article; its draft is gone", draft)
        answer = self._calls.post("/cgi-bin/freepublish/submit", {"media_id": media_id})
        if errcode_of(answer) in _A_PERSON_HAS_TO:
            return replace(_by_hand(media_id, answer.text), message_id=BY_HAND)
        return _made(answer, "publish_id")

    def _find_published(self, source_url: str) -> Outcome | None:
        body = {"offset": 0, "count": 20, "no_content": 1}
        answer = self._calls.post("/cgi-bin/freepublish/batchget", body)
        url = drafts.published_url(answer.json or {}, source_url)
        if url is None:
            return None
        return Outcome(Verdict.SENT, "ok", f"published: {url}", message_id=f"url:{url}")

    def _published(self, payload: Mapping[str, Any], recipient: Recipient) -> Outcome:  # noqa: ARG002
        publication = recipient.accepted[-1]
        if publication == BY_HAND:
            return _by_hand(recipient.accepted[-2], "this account may not publish by itself")
        if publication.startswith("url:"):
            return Outcome(Verdict.SENT, "ok", f"published: {publication[4:]}", publication)
        answer = self._calls.post("/cgi-bin/freepublish/get", {"publish_id": publication})
        said = answer.json or {}
        status = said.get("publish_status")
        if type(status) is not int:
            return read_reply(answer, OFFICIAL)
        if status == 0:
            url = drafts.article_url(said)
            return Outcome(Verdict.SENT, "ok", f"published: {url}", message_id=publication)
        if status == _RUNNING:
            return _not_yet("publishing", answer)
        reason = _NOT_PUBLISHED.get(status, "it was not published")
        return Outcome(
            Verdict.FAILED,
            f"wechat-publish-{status}",
            f"{reason}: {answer.text}"[:500],
            fault=Fault.CONTENT,
        )

    def _mass(self, payload: Mapping[str, Any], recipient: Recipient) -> Outcome:  # noqa: ARG002
        name = recipient.address.removeprefix("official:")
        to_all = name == "all"
        answer = self._calls.post(
            "/cgi-bin/message/mass/sendall",
            {
                "filter": {"is_to_all": True}
                if to_all
                else {"is_to_all": False, "tag_id": int(name.partition(":")[2])},
                "mpnews": {"media_id": recipient.accepted[-1]},
                "msgtype": "mpnews",
                "send_ignore_reprint": 0,
                # The same for every try of this delivery: nothing goes out twice within a day.
                "clientmsgid": recipient.identity[:_CLIENT_ID_BYTES],
            },
        )
        if errcode_of(answer) == 48001:  # noqa: PLR2004 - see errcodes.OFFICIAL
            return replace(_by_hand(recipient.accepted[-1], answer.text), message_id=BY_HAND)
        return _made(answer, "msg_id")

    def _mass_sent(self, payload: Mapping[str, Any], recipient: Recipient) -> Outcome:  # noqa: ARG002
        message_id = recipient.accepted[-1]
        if message_id == BY_HAND:
            return _by_hand(recipient.accepted[-2], "this account may not send by itself")
        answer = self._calls.post("/cgi-bin/message/mass/get", {"msg_id": int(message_id)})
        status = (answer.json or {}).get("msg_status")
        if status in _MASS_SENT:
            return Outcome(Verdict.SENT, "ok", answer.text[:500], message_id=message_id)
        if status in _MASS_RUNNING:
            return _not_yet("sending to all", answer)
        if status is None:
            return read_reply(answer, OFFICIAL)
        return Outcome(Verdict.FAILED, "wechat-mass-failed", answer.text[:500], fault=Fault.CONTENT)


def _made(answer: Answer, name: str) -> Outcome:
    """What a call made, whose name becomes the part's message id."""
    made = (answer.json or {}).get(name)
    errcode = errcode_of(answer)
    if made and OFFICIAL.outcome(errcode or 0, "").verdict is Verdict.SENT:
        return Outcome(Verdict.SENT, "ok", answer.text[:500], message_id=str(made))
    if errcode in (None, 0):
        return OFFICIAL.not_the_platform(answer.status, answer.text)
    return read_reply(answer, OFFICIAL)


def _by_hand(media_id: str, words: str) -> Outcome:
    reply = f"draft ready: publish it by hand at {CONSOLE_URL} (草稿箱). {words}"
    return Outcome(Verdict.SENT, AWAITS_PERSON, reply[:500], message_id=media_id)


def _not_yet(what: str, answer: Answer) -> Outcome:
    return Outcome(
        Verdict.RETRYING,
        "wechat-not-yet",
        f"still {what}: {answer.text}"[:500],
        fault=Fault.RECIPIENT,
        retry_after=_POLL_SECONDS,
    )
