"""A WeCom app posts to many in one call and says of each whether they got it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from channels.base import AccountUnreachable, Fault, Part, Recipient, Verdict
from channels.optional import GroupConnection
from channels.wechat import CHANNEL
from channels.wechat.account import WeChatAccount
from channels.wechat.app import AppConnection
from channels.wechat.tokens import LocalStore, check
from tests.support.platforms import Platforms

SECRET = "app-secret-of-the-tests"


def account(base_url: str, secret: str = SECRET, corp_id: str = "ww1") -> WeChatAccount:
    return WeChatAccount(
        name="staff",
        kind="app",
        base_url=base_url,
        corp_id=corp_id,
        agent_id=1000002,
        secret=SecretStr(secret),
    )


def people(*names: str) -> list[Recipient]:
    return [Recipient(f"app:{name}", f"1-rev-{place}") for place, name in enumerate(names)]


@pytest.fixture
def part(request: pytest.FixtureRequest) -> Part:
    """Of other bytes in each test, because the platform drops what it has seen."""
    return Part(1, {"msgtype": "text", "text": {"content": f"早安 {request.node.name}"}})


@pytest.fixture
def app(base_url: str) -> Iterator[AppConnection]:
    connection = AppConnection(account(base_url))
    yield connection
    connection.close()


def readers(sandbox: Platforms) -> list[str]:
    return [message["address"] for message in sandbox.received("wecom")]


def test_everybody_named_is_reached_in_one_call(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    outcomes = app.deliver_together(part, people("ada", "party:2", "tag:3", "grace"))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert len({outcome.message_id for outcome in outcomes}) == 1
    assert sorted(readers(sandbox)) == ["app:ada", "app:grace", "app:party:2", "app:tag:3"]


def test_half_of_the_members_may_be_invalid_though_errcode_is_0(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    sandbox.misbehave("wecom", "reject", match="app:gone", code=81013)
    sandbox.misbehave("wecom", "reject", match="app:party:9", code=81013)
    outcomes = app.deliver_together(part, people("ada", "gone1", "party:9", "grace", "gone2"))
    assert [outcome.code for outcome in outcomes] == [
        "ok",
        "wecom-invalid-user",
        "wecom-invalid-party",
        "ok",
        "wecom-invalid-user",
    ]
    assert {outcome.fault for outcome in outcomes} == {None, Fault.RECIPIENT}
    assert readers(sandbox) == ["app:ada", "app:grace"]


def test_nobody_valid_is_each_ones_own_failure(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    sandbox.misbehave("wecom", "reject", match="app:", code=81013)
    outcomes = app.deliver_together(part, people("ada", "grace"))
    assert {(o.verdict, o.fault) for o in outcomes} == {(Verdict.FAILED, Fault.RECIPIENT)}
    assert app.deliver(part, people("ada")[0]).code == "wecom-81013"


def test_call_without_an_answer_is_made_again_and_arrives_once(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    sandbox.misbehave("wecom", "drop_after", match="app:ada", times=2)
    outcomes = app.deliver_together(part, people("ada", "grace"))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert readers(sandbox) == ["app:ada", "app:grace"]


def test_call_that_is_never_answered_leaves_everybodys_fate_unknown(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    sandbox.misbehave("wecom", "drop_after", match="app:")
    outcomes = app.deliver_together(part, people("ada", "grace"))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.UNKNOWN}
    sandbox.behave()
    again = app.deliver_together(part, people("grace", "ada"))
    assert {outcome.verdict for outcome in again} == {Verdict.SENT}
    assert sorted(readers(sandbox)) == ["app:ada", "app:grace"]


def test_token_that_ends_in_the_middle_of_a_batch_is_replaced(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    app.deliver_together(part, people("ada"))
    sandbox.misbehave("wecom", "reject", match="app:grace", code=42001, times=1)
    assert app.deliver(part, people("grace")[0]).verdict is Verdict.SENT


def test_everybody_in_the_organisation_is_a_call_of_its_own(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    app.deliver_together(part, people("ada", "@all"))
    assert sorted(readers(sandbox)) == ["app:@all", "app:ada"]


def test_more_than_a_thousand_members_take_another_call(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    names = [f"member{number}" for number in range(1001)]
    outcomes = app.deliver_together(part, people(*names))
    assert len(outcomes) == 1001
    assert len({outcome.message_id for outcome in outcomes}) == 2
    assert len(readers(sandbox)) == 1001


def test_wrong_secret_holds_the_account_and_fails_nobody(base_url: str, part: Part) -> None:
    connection = AppConnection(account(base_url, secret="wrong"))
    outcome = connection.deliver(part, people("ada")[0])
    connection.close()
    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)
    assert outcome.code == "wecom-40001"


def test_page_instead_of_json_is_tried_again(
    sandbox: Platforms, app: AppConnection, part: Part
) -> None:
    sandbox.misbehave("wecom", "http_error", match="app:ada", status=502)
    outcome = app.deliver(part, people("ada")[0])
    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "wecom-http-502")


def test_token_is_fetched_once_for_all_workers(
    sandbox: Platforms, base_url: str, monkeypatch: pytest.MonkeyPatch, part: Part
) -> None:
    store, fetched = LocalStore(), []
    connections = [AppConnection(account(base_url)) for _ in range(4)]
    for connection in connections:
        connection.share(store)
    put = store.put
    monkeypatch.setattr(store, "put", lambda *given: (fetched.append(given[0]), put(*given)))
    threads = [
        threading.Thread(target=connection.deliver, args=(part, person))
        for connection, person in zip(connections, people("a1", "b2", "c3", "d4"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    assert len(fetched) == 1
    assert len(readers(sandbox)) == 4


def test_check_says_that_the_secret_is_accepted(base_url: str) -> None:
    assert "accepts the secret of agent 1000002" in check(account(base_url))


@pytest.mark.parametrize(
    ("options", "advice"),
    [({"secret": "wrong"}, "secret is wrong"), ({"corp_id": "nobody"}, "corp_id")],
)
def test_check_says_what_to_do(base_url: str, options: dict[str, str], advice: str) -> None:
    with pytest.raises(AccountUnreachable, match=advice) as refused:
        check(account(base_url, **options))
    assert SECRET not in str(refused.value)


def test_ip_that_is_not_on_the_list_is_named(sandbox: Platforms, base_url: str) -> None:
    words = "not allow to access from your ip, hint: from ip: 203.0.113.9"
    sandbox.misbehave("wecom", "reject", match="app gettoken", code=60020, text=words)
    with pytest.raises(AccountUnreachable, match=r"203\.0\.113\.9.*企业可信IP"):
        check(account(base_url))


def test_channel_connects_an_app_that_delivers_together(base_url: str) -> None:
    connection = CHANNEL.connect(account(base_url))
    assert isinstance(connection, GroupConnection)
    connection.close()
