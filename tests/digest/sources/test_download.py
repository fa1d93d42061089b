"""Getting a page: what is asked, what is refused, and when it ends."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler

import pytest

from distributor.digest.sources import network
from distributor.digest.sources.download import Limits, Page, Validators, download
from distributor.digest.sources.model import SourceUnreachable
from tests.support import certificates
from tests.support.certificates import Certificate
from tests.support.site import Answer, ByHand, Site, site

LIMITS = Limits(max_bytes=1000, seconds=60, allow_private=True)
NOTHING = Validators()


def get(url: str, limits: Limits = LIMITS) -> Page:
    page = download(url, limits, NOTHING)
    assert page is not None
    return page


def refusal(url: str, limits: Limits = LIMITS) -> str:
    with pytest.raises(SourceUnreachable) as caught:
        download(url, limits, NOTHING)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_page_comes_with_its_bytes_and_its_validators(here: Site) -> None:
    url = here.put("/a", b"\xff\x00", ETag='"1"', Last_Modified="Tue, 02 Dec 2025 00:00:00 GMT")

    page = get(url)

    assert page.content == b"\xff\x00"
    assert page.validators == Validators('"1"', "Tue, 02 Dec 2025 00:00:00 GMT")


def test_a_page_that_has_not_changed_is_none(here: Site) -> None:
    url = here.put("/a", "text", ETag='"1"')

    assert download(url, LIMITS, get(url).validators) is None
    assert here.requests[-1][1]["If-None-Match"] == '"1"'


def test_the_time_of_the_last_change_is_sent_back(here: Site) -> None:
    url = here.put("/a", "text", Last_Modified="Tue, 02 Dec 2025 00:00:00 GMT")

    download(url, LIMITS, get(url).validators)

    assert here.requests[-1][1]["If-Modified-Since"] == "Tue, 02 Dec 2025 00:00:00 GMT"


def test_packed_content_is_unpacked(here: Site) -> None:
    url = here.put("/a", gzip.compress(b"text"), Content_Encoding="gzip")

    assert get(url).content == b"text"


def test_a_page_may_be_as_large_as_the_limit_and_no_larger(here: Site) -> None:
    assert get(here.put("/a", b"x" * 1000)).content == b"x" * 1000
    assert "is larger than max_bytes of this source, 1,000" in refusal(here.put("/b", b"x" * 1001))


def test_a_small_page_that_unpacks_to_a_large_one_is_refused(here: Site) -> None:
    url = here.put("/a", gzip.compress(b"x" * 10_000_000), Content_Encoding="gzip")

    assert "is larger than max_bytes" in refusal(url)


def drip(first: bytes) -> ByHand:
    """Answers a byte at a time until the other side hangs up; no single wait is long."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(first)
        handler.connection.settimeout(0.02)
        is_open = True
        while is_open:
            handler.wfile.write(b"x")
            try:
                is_open = bool(handler.connection.recv(1))
            except TimeoutError:
                continue

    return answer


@pytest.mark.parametrize(
    "first",
    [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b""],
    ids=["body", "headers", "status line"],
)
def test_a_page_that_comes_in_drops_is_cut_off(here: Site, first: bytes) -> None:
    here.pages["/slow"] = drip(first)
    limits = Limits(max_bytes=10_000_000, seconds=0.3, allow_private=True)

    assert "/slow was not there in full within 0.3 seconds" in refusal(here.url("/slow"), limits)


def test_redirects_are_followed(here: Site) -> None:
    here.put("/new/page", "text")
    url = here.redirect("/old", "/new/page")

    page = get(url)

    assert (page.content, page.url) == (b"text", here.url("/new/page"))


def test_a_circle_of_redirects_is_left(here: Site) -> None:
    assert "redirects more than 5 times" in refusal(here.redirect("/a", "/a"))
    assert len(here.requests) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", "//["])
def test_a_redirect_to_anything_but_the_web_is_not_followed(here: Site, target: str) -> None:
    assert "name the final address" in refusal(here.redirect("/a", target))


def test_a_redirect_of_endless_size_is_not_read(here: Site) -> None:
    here.put("/page", "text")
    here.pages["/a"] = Answer(b"x" * 1_000_000, 302, {"Location": "/page"})

    assert get(here.url("/a")).content == b"text"


def test_a_redirect_to_a_private_machine_is_refused_before_it_is_asked(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.1")
    limits = Limits(max_bytes=1000, seconds=60, allow_private=False)
    with site("127.0.0.2") as private:
        private.put("/secret", "secret")
        url = here.redirect("/a", private.url("/secret"))

        assert refusal(url, limits).startswith("127.0.0.2 is no address of the public Internet")
        assert private.requests == []


def test_a_private_machine_is_refused_before_it_is_asked(here: Site) -> None:
    limits = Limits(max_bytes=1000, seconds=60, allow_private=False)

    assert "set allow_private = true" in refusal(here.put("/a", "text"), limits)
    assert here.requests == []


def test_proxies_of_the_environment_are_left_alone(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert get(here.put("/a", "text")).content == b"text"


def test_a_page_that_is_not_there_is_named_with_the_answer(here: Site) -> None:
    assert refusal(here.url("/a")).endswith("/a answers 404, Not Found; check the address")


def test_nobody_listening_is_one_line() -> None:
    assert "127.0.0.1 cannot be reached: Connection refused" in refusal("http://127.0.0.1:1/")


def test_an_answer_that_breaks_off_is_no_page(here: Site) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    here.pages["/a"] = answer

    assert "breaks off its answer" in refusal(here.url("/a"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.make(tmp_path_factory.mktemp("tls"))


def test_certificates_are_checked_though_the_address_is_chosen_before(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site(tls=certificate.context) as secure:
        url = secure.put("/a", "text")
        assert "has no valid certificate" in refusal(url)

        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate.file))
        assert get(url).content == b"text"
