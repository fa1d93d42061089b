"""What the bot answers, and what the ledger holds afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from channels.telegram.account import TelegramAccount
from channels.telegram.buttons import start_payload
from distributor.audience import subscribers
from distributor.audience.subscribers import SubscriberDetail
from distributor.bot.answers import Answer, LatestEdition
from distributor.bot.dialogue import Dialogue
from distributor.bot.heard import Admitted, Command, Heard, Moved, Place, Pressed
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from tests.bot.conftest import OPERATOR
from tests.support.service import Service, edition, service

READER = Place("42", "李雷", True, False, 42, "zh-hans")
GROUP = Place("-100777", "Team", False, False, 42, "en")
CHANNEL = Place("-100888", "News", False, True, 42, "en")
BOSS = Place(str(OPERATOR), "Kim", True, False, OPERATOR, "en")


class Talk:
    """A conversation with the bot."""

    def __init__(self, shop: Service, account: TelegramAccount) -> None:
        self.shop = shop
        self.dialogue = Dialogue(shop.context, shop.hints, account)

    def hear(self, heard: Heard, *, may_decide: bool = True) -> list[Answer]:
        reactions = self.dialogue.answer(heard, may_decide=may_decide)
        return [one for one in reactions if isinstance(one, Answer)]

    def say(self, text: str, place: Place = READER, *, may_decide: bool = True) -> str:
        """The one answer to a command."""
        name, _, argument = text.removeprefix("/").partition(" ")
        (answer,) = self.hear(Command(place, name, argument), may_decide=may_decide)
        assert answer.address == place.address
        return answer.text

    def press(self, data: str, place: Place = READER) -> Answer:
        (answer,) = self.hear(Pressed(place, "q", 7, data))
        return answer

    def subscriber(self, place: Place = READER) -> SubscriberDetail:
        with self.shop.ledger.read() as connection:
            return subscribers.show(connection, f"telegram:{place.address}")

    def lists(self, place: Place = READER) -> list[str]:
        return [m.list_name for m in self.subscriber(place).memberships if not m.unsubscribed_at]


@pytest.fixture
def talk(shop: Service, account: TelegramAccount) -> Talk:
    return Talk(shop, account)


def test_start_subscribes_to_the_first_open_list_in_the_persons_language(talk: Talk) -> None:
    assert talk.say("/start").startswith("已订阅：daily。")
    assert talk.lists() == ["daily"]
    assert talk.subscriber().name == "李雷"


def test_a_deep_link_subscribes_to_its_list(talk: Talk) -> None:
    talk.say(f"/start {start_payload('weekly')}")
    assert talk.lists() == ["weekly"]


@pytest.mark.parametrize("payload", ["secret-list", "_-!!", "not there yet", "x" * 64])
def test_a_deep_link_to_a_list_that_is_not_open_leads_to_the_first_one(
    talk: Talk, payload: str
) -> None:
    talk.say(f"/start {payload}")
    assert talk.lists() == ["daily"]


def test_stop_leaves_every_list_and_start_brings_back(talk: Talk) -> None:
    talk.say("/start")
    assert talk.say("/stop").startswith("已退订：daily。")
    assert talk.lists() == []
    assert talk.subscriber().memberships[0].unsubscribed_by == "bot"
    assert talk.say("/stop").startswith("这里没有订阅")
    talk.say("/start")
    assert talk.lists() == ["daily"]


def test_who_had_blocked_the_bot_is_reached_again_after_start(talk: Talk) -> None:
    talk.say("/start")
    talk.shop.platforms.misbehave("telegram", "reject", match="42 ", code=403, text="Forbidden: x")
    talk.shop.deliver(talk.shop.start_and_plan(to="daily"))
    assert talk.shop.is_suppressed("42", "telegram")
    talk.say("/start")
    assert not talk.shop.is_suppressed("42", "telegram")


def test_whom_an_operator_suppressed_is_told_so(talk: Talk) -> None:
    talk.shop.suppress("42", "telegram")
    assert "complaint" in talk.say("/start")
    assert talk.shop.is_suppressed("42", "telegram")


def test_settings_show_and_change_lists_style_and_language(talk: Talk) -> None:
    talk.say("/start")
    (shown,) = talk.hear(Command(READER, "settings", ""))
    assert [[one.text for one in row] for row in shown.buttons] == [
        ["✓ daily"],
        ["weekly"],
        ["✓ 折叠", "全文", "标题"],
        ["✓ 中文", "English"],
    ]
    assert all(len(one.data.encode()) <= 64 for row in shown.buttons for one in row)
    assert talk.press("list:1").replaces == 7
    assert talk.lists() == ["daily", "weekly"]
    talk.press("list:0")
    talk.press("style:headlines")
    changed = talk.press("language:en")
    assert [[one.text for one in row] for row in changed.buttons] == [
        ["daily"],
        ["✓ weekly"],
        ["Folded", "In full", "✓ Headlines"],
        ["中文", "✓ English"],
    ]
    assert talk.subscriber().variant == "headlines"


@pytest.mark.parametrize(
    "data",
    ["list:9", "list:-1", "list:2", "style:loud", "language:xx", "settle:1", "", "approve:1"],
)
def test_a_button_that_says_nonsense_changes_nothing(talk: Talk, data: str) -> None:
    talk.say("/start")
    before = talk.subscriber()
    talk.hear(Pressed(READER, "q", 7, data))
    assert talk.subscriber() == before


def test_latest_is_the_newest_edition_in_the_style_that_was_chosen(talk: Talk) -> None:
    assert talk.say("/latest").startswith("还没有")
    talk.say("/start")
    talk.press("style:headlines")
    send_id = talk.shop.start_and_plan(to="daily")
    (wanted,) = talk.dialogue.answer(Command(READER, "latest", ""), may_decide=True)
    assert isinstance(wanted, LatestEdition)
    assert wanted.rendering_id == talk.shop.deliveries(send_id)["42"]["rendering_id"]


def test_on_postgresql_the_latest_edition_is_found_too(
    tmp_path: Path, postgres_ledger: Ledger
) -> None:
    environment = {"DISTRIBUTOR_ACCOUNTS_BOT_OPEN_LISTS": "daily"}
    with service(tmp_path, postgres_ledger, **environment) as shop:
        shop.subscribe("telegram", "42", to="daily")
        shop.start_and_plan(to="daily")
        account = shop.settings.accounts["bot"]
        assert isinstance(account, TelegramAccount)
        talk = Talk(shop, account)
        talk.press("style:full")
        (wanted,) = talk.dialogue.answer(Command(READER, "latest", ""), may_decide=True)
        assert isinstance(wanted, LatestEdition)


def test_a_group_subscribes_by_letting_the_bot_in_and_leaves_by_shutting_it_out(
    talk: Talk,
) -> None:
    (hello,) = talk.hear(Admitted(GROUP, is_in=True))
    assert "daily" in hello.text
    assert talk.lists(GROUP) == ["daily"]
    assert talk.hear(Admitted(GROUP, is_in=False)) == []
    assert talk.lists(GROUP) == []


def test_a_channel_subscribes_in_silence(talk: Talk) -> None:
    assert talk.hear(Admitted(CHANNEL, is_in=True)) == []
    assert talk.lists(CHANNEL) == ["daily"]


def test_a_group_that_became_a_supergroup_keeps_its_new_id(talk: Talk) -> None:
    talk.hear(Admitted(GROUP, is_in=True))
    talk.hear(Moved(GROUP, "-100999"))
    with talk.shop.ledger.read() as connection:
        assert subscribers.show(connection, "-100999").name == "Team"


def test_in_a_group_administrators_alone_decide(talk: Talk) -> None:
    assert "administrators" in talk.say("/start", GROUP, may_decide=False)
    assert talk.hear(Pressed(GROUP, "q", 7, "list:0"), may_decide=False) == []
    assert "/settings" in talk.say("/help", GROUP, may_decide=False)


def test_an_operator_sees_and_steers_sends(talk: Talk) -> None:
    assert "no sends" in talk.say("/status", BOSS)
    send_id = talk.shop.start_and_plan(to="daily")
    assert "sending" in talk.say("/status", BOSS)
    assert "paused" in talk.say(f"/pause {send_id}", BOSS)
    assert talk.shop.send(send_id).state is SendState.PAUSED
    (shown,) = talk.hear(Command(BOSS, "status", str(send_id)))
    assert [one.data for row in shown.buttons for one in row] == [
        f"resume:{send_id}",
        f"cancel:{send_id}",
    ]
    assert "sending" in talk.press(f"resume:{send_id}", BOSS).text
    assert "no send 99" in talk.say("/pause 99", BOSS)
    assert "not the number of a send" in talk.say(f"/pause {2**63}", BOSS)
    assert "not the number" in talk.say("/retry all", BOSS)


def test_what_failed_is_retried_with_the_operators_id_in_the_log(talk: Talk) -> None:
    talk.shop.platforms.misbehave(
        "telegram", "reject", match="@a_channel", code=400, text="Bad Request: hm"
    )
    send_id = talk.shop.start_and_plan(to="daily")
    talk.shop.deliver(send_id)
    talk.shop.platforms.behave()
    assert "sending" in talk.say("/retry", BOSS)
    assert talk.shop.log(send_id)[-1].reply == f"telegram user {OPERATOR} asked for another try"


@pytest.mark.parametrize("command", ["status", "pause 1", "resume 1", "retry 1", "approve 1"])
def test_nobody_else_steers(talk: Talk, command: str) -> None:
    send_id = talk.shop.start_and_plan(to="daily")
    assert talk.say(f"/{command}") == "这个命令只给管理员用。"
    in_group = Place(GROUP.address, "Team", False, False, OPERATOR, "en")
    name, _, argument = command.partition(" ")
    assert talk.hear(Command(in_group, name, argument)) == []
    assert talk.shop.send(send_id).state is SendState.SENDING


def test_an_operator_is_asked_once_about_a_draft_and_lets_it_go(talk: Talk) -> None:
    send_id = talk.shop.start(to="daily", draft=True, source=edition(items=3))
    assert talk.shop.send(send_id).state is SendState.DRAFT
    (question,) = talk.dialogue.drafts_to_ask_about()
    assert isinstance(question, Answer)
    assert question.address == BOSS.address
    assert "3 条，发往：daily" in question.text
    assert talk.dialogue.drafts_to_ask_about() == []
    shown = talk.press(f"approve:{send_id}", BOSS)
    assert "preparing" in shown.text
    assert talk.shop.hints.prepared == [send_id]
    assert "preparing" in talk.press(f"approve:{send_id}", BOSS).text


def test_a_word_that_is_no_command_gets_help_in_private_alone(talk: Talk) -> None:
    assert "没有这个命令" in talk.say("/dance")
    assert talk.hear(Command(GROUP, "dance", "")) == []
    assert "/status" not in talk.say("/help")
    assert "/status" in talk.say("/help", BOSS)


def test_without_open_lists_nobody_can_join(shop: Service, account: TelegramAccount) -> None:
    closed = Talk(shop, account.model_copy(update={"open_lists": ()}))
    assert closed.say("/start").startswith("目前没有开放订阅")


def test_a_name_that_is_no_name_does_no_harm(talk: Talk) -> None:
    talk.say("/start", Place("43", "a\nb\u202e" + "x" * 300, True, False, 43, ""))
    named = Place("43", "", True, False, 43, "")
    assert len(talk.subscriber(named).name) == 100
