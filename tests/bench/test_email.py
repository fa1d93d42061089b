"""The benchmark of email runs the real path, and its own sink takes what Postfix's takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from channels.base import Verdict
from channels.email import CHANNEL
from distributor.bench import sink
from distributor.bench.sink import Sink
from tests.channels.email.conftest import account_for, chinese_digest, edition_of, reader


@pytest.fixture
def own_sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    monkeypatch.setattr(sink, "_PATH", "")
    with sink.running() as running:
        yield running


def test_our_own_sink_takes_one_message_after_another(own_sink: Sink) -> None:
    connection = CHANNEL.connect(account_for(own_sink.port))
    part = CHANNEL.render(edition_of(chinese_digest()), account_for()).parts[0]

    outcomes = [connection.deliver(part, reader(identity=f"s-{number}")) for number in range(5)]
    connection.close()

    assert own_sink.name == "python"
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}


@pytest.mark.slow
def test_sends_signs_and_accounts_for_everyone() -> None:
    done = subprocess.run(
        f"{sys.executable} -m distributor bench email --recipients 60 --sign both --naive 2 "
        "--workers 1 --json".split(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["books"]["sent"] == figures["recipients"] == 60
    assert figures["messages_per_second"] > 0
    assert figures["peak_rss_mb"] > 0
    assert figures["naive_messages_per_second"] > 0
