"""A Git repository with editions in it, kept as a shallow copy on this machine's disk."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from distributor.digest.sources.folder import FolderSource
from distributor.digest.sources.model import Fetched, SourceUnreachable, clean, every, storable
from distributor.digest.sources.network import addresses_of

_PORTS = {"https": 443, "http": 80}
#: Nothing that a repository or this machine's user set up may run a program or ask a question.
_SAFE = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.symlinks": "false",
    "core.autocrlf": "false",
    "core.logAllRefUpdates": "false",
    "gc.autoDetach": "false",
    "http.followRedirects": "false",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.http.allow": "always",
    "protocol.ssh.allow": "always",
    "protocol.file.allow": "always",
}
#: Variables that would lead to another repository, as inside a hook of Git.
_MISLEADING = ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
_REDIRECT = re.compile(r"returned error: 30\d")


@dataclass(frozen=True, slots=True)
class GitSource:
    """The Markdown files below `path` of a branch's newest commit. A mark is a commit."""

    name: str
    #: https, http, ssh, `user@host:path`, or a folder of this machine.
    url: str
    #: Empty: the one that the repository names as its own.
    branch: str
    #: Folder in the repository; empty: all of it.
    path: str
    #: Folder on this machine for the copy.
    copy: Path
    poll_seconds: float
    max_bytes: int
    timeout_seconds: float
    allow_private: bool

    @property
    def location(self) -> str:
        return storable(f"{self.url}#{self.branch}:{self.path}")

    def fetch(self, mark: str) -> Fetched | None:
        with self._copy_alone():
            commit = self._pull()
            if commit == mark:
                return None
            try:
                self._run("reset", "--quiet", "--hard", commit)
            except SourceUnreachable:
                # Damaged: the next look begins with a new copy.
                shutil.rmtree(self.copy, ignore_errors=True)
                raise
            # All of them now, while nobody else changes the copy.
            return Fetched(tuple(self._folder().fetch("").documents), commit)

    def check(self) -> str:
        reference = f"refs/heads/{self.branch}" if self.branch else "HEAD"
        asked = ("ls-remote", "--exit-code", "--", self.url, reference)
        answer = self._run(*asked, settings=self._reaching())
        return f"commit {answer[:10]} at {self.url}"

    def changes(self, stopping: threading.Event) -> Iterator[None]:
        return every(self.poll_seconds, stopping)

    def _folder(self) -> FolderSource:
        return FolderSource(self.name, self.copy / self.path, self.poll_seconds, self.max_bytes)

    def _pull(self) -> str:
        """Fetch the newest commit into the copy; returns its hash."""
        if not self._is_whole():
            shutil.rmtree(self.copy, ignore_errors=True)
            self.copy.mkdir()
            self._run("init", "--quiet")
        # What a killed Git left behind would stop every later one.
        for lock in (self.copy / ".git").glob("*.lock"):
            lock.unlink(missing_ok=True)
        asked = ("fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--", self.url)
        self._run(*asked, self.branch or "HEAD", settings=self._reaching())
        return self._run("rev-parse", "FETCH_HEAD")

    def _is_whole(self) -> bool:
        try:
            self._run("rev-parse", "--git-dir")
        except SourceUnreachable:
            return False
        return True

    @contextmanager
    def _copy_alone(self) -> Iterator[None]:
        """No other watcher of this machine uses the copy while the block runs."""
        try:
            self.copy.parent.mkdir(parents=True, exist_ok=True)
            with self.copy.with_name(f"{self.copy.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise SourceUnreachable(
                f"{self.copy.parent} cannot be written: {error.strerror or error}; see storage.var"
            ) from error

    def _run(self, *arguments: str, settings: Mapping[str, str] = _SAFE) -> str:
        """What Git answers. Raises `SourceUnreachable` with Git's reason."""
        options = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        try:
            process = subprocess.Popen(
                ["git", *options, *arguments],
                cwd=self.copy if self.copy.is_dir() else "/",
                env=_environment(self.copy),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise SourceUnreachable(
                f"git cannot be started: {error.strerror}; install git on this machine"
            ) from error
        out, err = self._wait(process)
        if process.returncode:
            raise SourceUnreachable(f"{self.url} cannot be fetched: {_reason(err)}")
        return out.strip()

    def _wait(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        try:
            return process.communicate(timeout=self.timeout_seconds)
        except subprocess.TimeoutExpired as error:
            # Its helpers too, which hold the connection.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise SourceUnreachable(
                f"{self.url} was not fetched within {self.timeout_seconds:g} seconds; "
                "raise timeout_seconds of this source if it needs longer"
            ) from error

    def _reaching(self) -> dict[str, str]:
        """Settings for commands that reach the repository. Raises `SourceUnreachable`."""
        parts = urlsplit(self.url)
        if parts.scheme not in _PORTS or not parts.hostname:
            return _SAFE
        port = parts.port or _PORTS[parts.scheme]
        found = addresses_of(parts.hostname, port, allow_private=self.allow_private)
        numbers = ",".join(f"[{one}]" if ":" in one else one for one in found)
        # Git must not ask for the name again: it could get another answer.
        return {**_SAFE, "http.curloptResolve": f"{parts.hostname}:{port}:{numbers}"}


def _environment(copy: Path) -> dict[str, str]:
    """With the copy named, so that Git never looks for a repository around it."""
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    return {
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15",
        **kept,
        "GIT_DIR": str(copy / ".git"),
        "GIT_WORK_TREE": str(copy),
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _reason(err: str) -> str:
    """The first thing that Git or ssh complains of; the rest follows from it."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    said = [line for line in lines if not line.lower().startswith(("warning:", "hint:"))]
    # Nothing is said of a branch that is asked for and not there.
    reason = said[0] if said else "there is no such branch, or no commit yet"
    is_redirect = _REDIRECT.search(err) is not None
    hint = "; redirects are not followed: name the final address" if is_redirect else ""
    return clean(reason.removeprefix("fatal:").strip()) + hint
