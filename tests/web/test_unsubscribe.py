from __future__ import annotations

import pytest

from distributor.audience import subscribers
from distributor.audience.tokens import UnsubscribeTokens
from tests.web.conftest import Site

ENGLISH = "---\ntitle: Today\n---\n\nAn edition in plain English prose, long enough to know.\n"


def left(site: Site, address: str) -> dict[str, str | None]:
    """How each list was left, by its name."""
    with site.ledger.read() as c:
        detail = subscribers.show(c, address)
    return {one.list_name: one.unsubscribed_by for one in detail.memberships}


@pytest.fixture
def link(site: Site, tokens: UnsubscribeTokens) -> str:
    """The link of `ann@example.com` in a send to the list `Daily <News>`."""
    ann = site.subscribe("ann@example.com", "Daily <News>", "weekly")
    return f"/unsubscribe/{tokens.issue(ann, site.send('Daily <News>'))}"


def test_opening_the_link_asks_and_changes_nothing(site: Site, link: str) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert site.request(method, link).status_code == 200
    assert left(site, "ann@example.com") == {"Daily <News>": None, "weekly": None}


def test_the_page_names_the_list_and_masks_the_address(site: Site, link: str) -> None:
    page = site.get(link).text
    assert "Daily &lt;News&gt;" in page
    assert "a…@example.com" in page
    assert "ann@example.com" not in page
    assert "weekly" not in page


def test_the_page_has_one_form_that_posts_to_its_own_address(site: Site, link: str) -> None:
    page = site.get(link).text
    assert page.count("<form") == page.count("<button") == 1
    assert '<form method="post" action="?by=page">' in page


def test_the_button_leaves_the_list_at_once(site: Site, link: str) -> None:
    answer = site.post(f"{link}?by=page")
    assert answer.status_code == 200
    assert "已退订「Daily &lt;News&gt;」" in answer.text
    assert left(site, "ann@example.com") == {"Daily <News>": "page", "weekly": None}


def test_any_other_post_is_the_one_click_of_a_mail_program(site: Site, link: str) -> None:
    answer = site.post(link)
    assert (answer.status_code, answer.is_redirect) == (200, False)
    assert "set-cookie" not in answer.headers
    assert left(site, "ann@example.com")["Daily <News>"] == "one-click"


def test_posting_again_is_fine_and_says_it_was_done_before(site: Site, link: str) -> None:
    site.post(link)
    again = site.post(f"{link}?by=page")
    assert again.status_code == 200
    assert "此前已经退订" in again.text
    assert left(site, "ann@example.com")["Daily <News>"] == "one-click"


def test_opening_the_link_after_leaving_offers_nothing_to_press(site: Site, link: str) -> None:
    site.post(link)
    page = site.get(link).text
    assert "此前已经退订" in page
    assert "<form" not in page


def test_the_page_speaks_the_language_of_the_edition(site: Site, tokens: UnsubscribeTokens) -> None:
    ann = site.subscribe("ann@example.com", "daily")
    page = site.get(f"/unsubscribe/{tokens.issue(ann, site.send('daily', source=ENGLISH))}").text
    assert '<html lang="en"' in page
    assert "Unsubscribe from daily?" in page


def test_a_test_message_has_nothing_to_leave(site: Site, tokens: UnsubscribeTokens) -> None:
    ann = site.subscribe("ann@example.com", "daily")
    link = f"/unsubscribe/{tokens.issue(ann, site.send(targets=(ann,)))}"
    assert "没有需要退订的内容" in site.get(link).text
    assert site.post(link).status_code == 200
    assert left(site, "ann@example.com") == {"daily": None}


@pytest.mark.parametrize("token", ["x", "A" * 43, "%E9%80%80" * 3])
def test_a_link_that_was_not_issued_here_does_nothing(site: Site, link: str, token: str) -> None:
    opened, posted = site.get(f"/unsubscribe/{token}"), site.post(f"/unsubscribe/{token}")
    assert (opened.status_code, posted.status_code) == (404, 400)
    assert "This unsubscribe link does not work" in opened.text
    assert left(site, "ann@example.com") == {"Daily <News>": None, "weekly": None}


def test_a_robot_is_shown_without_its_key(site: Site, tokens: UnsubscribeTokens) -> None:
    key = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
    robot = site.subscribe(key, "daily", channel="wechat")
    send = site.send("daily", channel="wechat")
    page = site.get(f"/unsubscribe/{tokens.issue(robot, send)}").text
    assert key not in page
    assert "robot …5aaa" in page


def test_the_address_of_the_page_stays_private(site: Site, link: str) -> None:
    headers = site.get(link).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex"
