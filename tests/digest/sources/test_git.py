"""Editions from a Git repository, as real Git serves it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from distributor.digest.sources import network
from distributor.digest.sources.git import GitSource
from distributor.digest.sources.model import Document, Fetched, SourceUnreachable
from tests.support.site import Site, site

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Repository:
    """A repository that an editor works in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        settings = {"user.name": "Editor", "user.email": "editor@example.org", "core.fsync": "none"}
        options = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        done = subprocess.run(
            ["git", *options, *words], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        """Commit `files`, where `posts__1` is `posts/1.md`; returns the commit."""
        for name, content in files.items():
            path = self.folder / f"{name.replace('__', '/')}.md"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Post")
        return self.git("rev-parse", "HEAD")


MakeSource = Callable[..., GitSource]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "blog")
    made.commit(posts__1="# One", about="# About")
    return made


@pytest.fixture
def source(tmp_path: Path, repository: Repository) -> MakeSource:
    def make(url: str = "", *, branch: str = "", path: str = "posts") -> GitSource:
        return GitSource(
            name="blog",
            url=url or str(repository.folder),
            branch=branch,
            path=path,
            copy=tmp_path / "var" / "blog",
            poll_seconds=60,
            max_bytes=10_000,
            timeout_seconds=60,
            allow_private=False,
        )

    return make


def texts(fetched: Fetched | None) -> dict[str, str]:
    assert fetched is not None
    documents = [one for one in fetched.documents if isinstance(one, Document)]
    return {one.identity: one.content.decode() for one in documents}


def test_the_files_of_its_folder_are_read(source: MakeSource) -> None:
    assert texts(source().fetch("")) == {"1.md": "# One"}


def test_a_commit_that_was_imported_is_not_read_again(
    source: MakeSource, repository: Repository
) -> None:
    fetched = source().fetch("")

    assert fetched is not None
    assert fetched.mark == repository.git("rev-parse", "HEAD")
    assert source().fetch(fetched.mark) is None


def test_a_new_commit_is_pulled(source: MakeSource, repository: Repository) -> None:
    first = source().fetch("")
    repository.commit(posts__1="# One, corrected", posts__2="# Two")

    assert first is not None
    assert texts(source().fetch(first.mark)) == {"1.md": "# One, corrected", "2.md": "# Two"}


def test_a_history_that_was_written_anew_is_followed(
    source: MakeSource, repository: Repository
) -> None:
    source().fetch("")
    (repository.folder / "posts" / "1.md").unlink()
    repository.commit(posts__3="# Three")
    repository.git("commit", "--quiet", "--amend", "--message=Other")

    assert texts(source().fetch("")) == {"3.md": "# Three"}


def test_another_branch_can_be_named(source: MakeSource, repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "drafts")
    repository.commit(posts__1="# Draft")
    repository.git("checkout", "--quiet", "main")

    assert texts(source(branch="drafts").fetch("")) == {"1.md": "# Draft"}
    assert texts(source().fetch("")) == {"1.md": "# One"}


def test_a_link_in_a_repository_leads_nowhere(
    source: MakeSource, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("# Secret")
    (repository.folder / "posts" / "link.md").symlink_to(tmp_path / "secret.md")
    repository.commit(posts__1="# One")

    assert "# Secret" not in texts(source().fetch("")).values()


def test_what_a_killed_git_left_behind_is_no_obstacle(source: MakeSource) -> None:
    source().fetch("")
    for name in ("shallow.lock", "index.lock"):
        (source().copy / ".git" / name).touch()

    assert texts(source().fetch("")) == {"1.md": "# One"}


@pytest.mark.parametrize("broken", ["HEAD", "config"])
def test_a_copy_that_is_broken_is_made_anew(source: MakeSource, broken: str) -> None:
    source().fetch("")
    (source().copy / ".git" / broken).write_bytes(os.urandom(20))

    assert texts(source().fetch("")) == {"1.md": "# One"}


def test_a_repository_around_the_copy_is_left_alone(source: MakeSource, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    source().fetch("")
    (source().copy / ".git" / "HEAD").unlink()

    source().fetch("")

    assert not (tmp_path / ".git" / "FETCH_HEAD").exists()


def test_it_works_inside_a_hook_of_another_repository(
    source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere/.git")

    assert texts(source().fetch("")) == {"1.md": "# One"}


def test_a_check_names_the_commit_and_copies_nothing(
    source: MakeSource, repository: Repository
) -> None:
    commit = repository.git("rev-parse", "HEAD")

    assert source().check() == f"commit {commit[:10]} at {repository.folder}"
    assert not source().copy.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"branch": "nowhere"}, "blog cannot be fetched: "),
        ({"url": "/nowhere.git"}, "/nowhere.git cannot be fetched: '/nowhere.git' does not"),
        ({"url": "https://127.0.0.1/x.git"}, "127.0.0.1 is no address of the public Internet"),
        ({"url": "ext::sh -c touch%20/tmp/x"}, "transport 'ext' not allowed"),
    ],
)
def test_what_cannot_be_reached_is_one_line(
    source: MakeSource, options: dict[str, str], said: str
) -> None:
    for look in (source(**options).check, lambda: source(**options).fetch("")):
        with pytest.raises(SourceUnreachable) as caught:
            look()
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_named(source: MakeSource) -> None:
    source().copy.parent.parent.mkdir(exist_ok=True)
    source().copy.parent.write_text("a file where the folder should be")

    with pytest.raises(SourceUnreachable, match=r"var cannot be written: .*; see storage\.var"):
        source().fetch("")


def test_a_folder_that_is_not_in_the_repository_is_named(source: MakeSource) -> None:
    with pytest.raises(SourceUnreachable, match=r"the folder .*/content cannot be read"):
        source(path="content").fetch("")


REFERENCES = "/blog.git/info/refs?service=git-upload-pack"


def test_git_connects_to_the_address_that_was_looked_at(
    source: MakeSource, here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else knows this name, so that only the address given to Git can lead there."""
    here.put(REFERENCES, f"{'a' * 40}\trefs/heads/main\n")
    here.put("/blog.git/HEAD", "ref: refs/heads/main\n")
    url = here.url("/blog.git").replace("127.0.0.1", "nowhere.invalid")
    monkeypatch.setattr(
        "distributor.digest.sources.git.addresses_of", lambda *_, **__: ("127.0.0.1",)
    )

    assert source(url, branch="main").check() == f"commit aaaaaaaaaa at {url}"


def test_git_follows_no_redirect(
    source: MakeSource, here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site("127.0.0.2") as private:
        here.redirect(REFERENCES, private.url(REFERENCES))
        monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.1")

        with pytest.raises(SourceUnreachable, match="302; redirects are not followed"):
            source(here.url("/blog.git")).check()

        assert private.requests == []


def test_every_address_of_a_name_is_given_to_git(
    source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "distributor.digest.sources.git.addresses_of", lambda *_, **__: ("1.2.3.4", "2606::1")
    )

    settings = source("https://git.example.org/x.git")._reaching()

    assert settings["http.curloptResolve"] == "git.example.org:443:1.2.3.4,[2606::1]"
