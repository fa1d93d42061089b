"""What can be set, which value wins, and what a person is told about a wrong one."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.settings import Settings, SettingsError, load
from distributor.templating import shipped

_SHIPPED = shipped("config") / "distributor.toml"
_RELAY = '[accounts.relay]\nchannel = "email"\nfrom_address = "news@example.org"\n'
_BOT = '[accounts.bot]\nchannel = "telegram"\n'
_SECRET = "never-to-be-shown-0123456789"


class Configuration:
    """A configuration file of one test, and the environment it is loaded with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "distributor.toml"

    def load(self, toml: str = "", **environ: str) -> Settings:
        self.path.write_text(toml, encoding="utf-8")
        return load(self.path, environ)

    def problem(self, toml: str = "", **environ: str) -> str:
        with pytest.raises(SettingsError) as caught:
            self.load(toml, **environ)
        return str(caught.value)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return Configuration(tmp_path)


def test_an_empty_file_means_the_embedded_default(configuration: Configuration) -> None:
    settings = configuration.load()

    assert settings.is_embedded_ledger
    assert settings.is_embedded_redis
    assert settings.ledger_url == f"sqlite:///{settings.var / 'ledger.db'}"


def test_the_shipped_configuration_leads_every_channel_to_the_sandbox() -> None:
    settings = load(_SHIPPED, {})

    assert {account.channel for account in settings.accounts.values()} == {
        "email",
        "telegram",
        "wechat",
    }
    assert settings.sandbox.enabled


def test_a_configuration_named_in_the_environment_is_used(configuration: Configuration) -> None:
    configuration.path.write_text("[web]\nport = 1234\n")

    assert load(None, {"DISTRIBUTOR_CONFIG": str(configuration.path)}).web.port == 1234


def test_without_a_configuration_here_the_shipped_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert load(None, {}).accounts.keys() == load(_SHIPPED, {}).accounts.keys()


@given(
    in_file=st.integers(0, 65535),
    in_environment=st.none() | st.integers(0, 65535),
)
def test_the_environment_wins_over_the_file(
    tmp_path_factory: pytest.TempPathFactory, in_file: int, in_environment: int | None
) -> None:
    configuration = Configuration(tmp_path_factory.mktemp("config"))
    environ = {} if in_environment is None else {"DISTRIBUTOR_WEB_PORT": str(in_environment)}

    settings = configuration.load(f"[web]\nport = {in_file}\n", **environ)

    assert settings.web.port == (in_file if in_environment is None else in_environment)


def test_dashes_in_an_account_name_are_underscores_in_its_variables(
    configuration: Configuration,
) -> None:
    toml = _RELAY.replace("relay", "main-relay")

    settings = configuration.load(toml, DISTRIBUTOR_ACCOUNTS_MAIN_RELAY_PORT="2525")

    assert settings.accounts["main-relay"].model_dump()["port"] == 2525


def test_accounts_that_would_share_their_variables_are_refused(
    configuration: Configuration,
) -> None:
    problem = configuration.problem(_RELAY + _RELAY.replace("relay", "RELAY"))

    assert "accounts.RELAY" in problem
    assert "accounts.relay" in problem


@pytest.mark.parametrize(
    ("environ", "files"),
    [
        ({"DISTRIBUTOR_ACCOUNTS_BOT_TOKEN": _SECRET}, {}),
        ({"DISTRIBUTOR_ACCOUNTS_BOT_TOKEN_FILE": "{folder}/token"}, {"token": f"{_SECRET}\n"}),
    ],
    ids=["variable", "file named by a variable"],
)
def test_a_secret_comes_from_the_environment(
    configuration: Configuration, environ: Mapping[str, str], files: Mapping[str, str]
) -> None:
    for name, text in files.items():
        (configuration.folder / name).write_text(text)
    placed = {key: value.format(folder=configuration.folder) for key, value in environ.items()}

    settings = configuration.load(_BOT, **placed)

    assert settings.accounts["bot"].token.get_secret_value() == _SECRET  # type: ignore[attr-defined]


def test_a_secret_comes_from_a_file_beside_the_configuration(configuration: Configuration) -> None:
    (configuration.folder / "bot.token").write_text(f"{_SECRET}\n")

    settings = configuration.load(_BOT + 'token_file = "bot.token"\n')

    assert settings.accounts["bot"].token.get_secret_value() == _SECRET  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("toml", "variable"),
    [
        (f'{_BOT}token = "{_SECRET}"\n', "DISTRIBUTOR_ACCOUNTS_BOT_TOKEN"),
        (f'[web]\nsecret = "{_SECRET}"\n', "DISTRIBUTOR_WEB_SECRET"),
        (f'[database]\nurl = "postgresql://u:{_SECRET}@h/x"\n', "DISTRIBUTOR_DATABASE_URL"),
    ],
)
def test_a_secret_in_the_configuration_is_refused_with_the_place_where_it_belongs(
    configuration: Configuration, toml: str, variable: str
) -> None:
    problem = configuration.problem(toml)

    assert variable in problem
    assert _SECRET not in problem


@pytest.mark.parametrize(
    "variable",
    ["DISTRIBUTOR_DATABASE_URL", "DISTRIBUTOR_REDIS_URL", "DISTRIBUTOR_ACCOUNTS_RELAY_PASSWORD"],
)
@given(secret=st.text(string.ascii_letters + string.digits + "/:@{}[]%", min_size=12))
def test_no_error_repeats_a_wrong_secret(
    tmp_path_factory: pytest.TempPathFactory, variable: str, secret: str
) -> None:
    # A password without a username is as wrong as an address of no known kind.
    configuration = Configuration(tmp_path_factory.mktemp("config"))

    assert secret not in configuration.problem(_RELAY, **{variable: f"x{secret}"})


def test_a_short_signing_secret_is_refused_and_not_repeated(configuration: Configuration) -> None:
    problem = configuration.problem(DISTRIBUTOR_WEB_SECRET="hunter2")

    assert "web.secret: wants at least 16 characters" in problem
    assert "hunter2" not in problem


def test_settings_never_show_a_secret(configuration: Configuration) -> None:
    settings = configuration.load(
        _RELAY + 'username = "news"\n' + _BOT,
        DISTRIBUTOR_ACCOUNTS_RELAY_PASSWORD=_SECRET,
        DISTRIBUTOR_ACCOUNTS_BOT_TOKEN=_SECRET,
        DISTRIBUTOR_WEB_SECRET=_SECRET,
        DISTRIBUTOR_DATABASE_URL=f"postgresql://u:{_SECRET}@h/x",
        DISTRIBUTOR_REDIS_URL=f"redis://:{_SECRET}@h/0",
    )

    shown = (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json())
    assert not any(_SECRET in text for text in shown)


@pytest.mark.parametrize(
    ("toml", "environ", "wanted"),
    [
        ("[web]\nprt = 1\n", {}, "web.prt: there is no such setting"),
        ("webb = 1\n", {}, "webb: there is no such setting"),
        ("web = 1\n", {}, "web: got int, wants a table such as [web]"),
        ("accounts = 1\n", {}, "accounts: got int, wants a table such as [accounts.relay]"),
        ('[web]\nport = "x"\n', {}, "web.port: got 'x', wants a valid integer"),
        ("[sending]\nlanes = 0\n", {}, "sending.lanes: got 0, wants greater than or equal to 1"),
        (
            '[accounts.fax]\nchannel = "fax"\n',
            {},
            "accounts.fax.channel: got 'fax', wants one of dingtalk, email, feishu, "
            "telegram, wechat",
        ),
        (
            "[accounts.relay]\n",
            {},
            "accounts.relay.channel: got nothing, wants one of dingtalk, email, feishu, "
            "telegram, wechat",
        ),
        (
            _BOT,
            {},
            "accounts.bot.token: missing; set DISTRIBUTOR_ACCOUNTS_BOT_TOKEN, "
            "or accounts.bot.token_file in the configuration",
        ),
        (
            _RELAY + 'username = "news"\n',
            {},
            "accounts.relay: username and password must be given together, or neither",
        ),
        (
            "",
            {"DISTRIBUTOR_WEB_PRT": "1"},
            "DISTRIBUTOR_WEB_PRT: there is no such setting; did you mean DISTRIBUTOR_WEB_PORT?",
        ),
        (
            "",
            {"DISTRIBUTOR_COLOUR": "blue"},
            "DISTRIBUTOR_COLOUR: there is no such setting; "
            f"unset it, or find the right name in {_SHIPPED.with_name('production.example.toml')}",
        ),
        (
            _RELAY.replace("news@example.org", "nonsense"),
            {},
            "accounts.relay.from_address: 'nonsense' is not an email address",
        ),
        (
            "",
            {"DISTRIBUTOR_WEB_PORT": "x"},
            "web.port: got 'x', wants a valid integer (DISTRIBUTOR_WEB_PORT)",
        ),
        (
            "",
            {"DISTRIBUTOR_WEB_PUBLIC_URL": "news.example.org"},
            "web.public_url: got 'news.example.org', wants an address like https://",
        ),
        (
            "",
            {"DISTRIBUTOR_DATABASE_URL": "mysql://h/x"},
            "database.url: wants an address like postgresql://",
        ),
        (
            "",
            {"DISTRIBUTOR_REDIS_URL": "h:6379"},
            "redis.url: wants an address like redis://",
        ),
        (
            "",
            {"DISTRIBUTOR_WEB_SECRET_FILE": "/nowhere/secret"},
            "DISTRIBUTOR_WEB_SECRET_FILE: /nowhere/secret cannot be read: No such file",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_with_key_value_and_what_is_wanted(
    configuration: Configuration, toml: str, environ: Mapping[str, str], wanted: str
) -> None:
    problem = configuration.problem(toml, **environ)

    assert problem.startswith(wanted)
    assert "\n" not in problem


def test_every_wrong_setting_is_named_at_once(configuration: Configuration) -> None:
    problem = configuration.problem(f'[web]\nport = "x"\n[sending]\nlanes = 0\n{_BOT}')

    assert [line.partition(":")[0] for line in problem.splitlines()] == [
        "accounts.bot.token",
        "web.port",
        "sending.lanes",
    ]


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read: No such file"):
        load(tmp_path / "nowhere.toml", {})


@pytest.mark.parametrize("text", [b"# A headline\n\nand text", b"\xff\xfe\x00"])
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "edition.md"
    path.write_bytes(text)

    with pytest.raises(SettingsError, match=r"the configuration .*edition\.md"):
        load(path, {})


def test_the_signing_key_is_made_once_and_kept_private(configuration: Configuration) -> None:
    settings = configuration.load(f'[storage]\nvar = "{configuration.folder}/var"\n')

    first, second = settings.signing_secret(), settings.signing_secret()

    assert first == second
    assert (settings.var / "signing.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "short"])
def test_a_kept_signing_key_that_protects_nothing_is_refused(
    configuration: Configuration, content: str
) -> None:
    settings = configuration.load(f'[storage]\nvar = "{configuration.folder}/var"\n')
    settings.var.mkdir()
    (settings.var / "signing.key").write_text(content)
    with pytest.raises(SettingsError, match="links could be forged"):
        settings.signing_secret()


def test_a_configured_signing_secret_is_used(configuration: Configuration) -> None:
    assert configuration.load(DISTRIBUTOR_WEB_SECRET=_SECRET).signing_secret() == _SECRET


def test_the_first_account_of_a_channel_serves_it(configuration: Configuration) -> None:
    settings = configuration.load(_RELAY + _RELAY.replace("relay", "second"))

    serving = settings.account_for("email", "reader@example.org")
    assert serving is not None
    assert serving.name == "relay"
    assert settings.account_for("telegram", "@daily") is None


def test_an_account_of_another_channel_cannot_be_named(configuration: Configuration) -> None:
    settings = configuration.load(_RELAY)
    assert settings.account_named("relay", "email").name == "relay"
    with pytest.raises(SettingsError, match="no account 'relay' is configured for telegram"):
        settings.account_named("relay", "telegram")


@pytest.mark.parametrize(
    ("configured", "public"),
    [
        ("", "http://127.0.0.1:8080"),
        ("https://news.example.org/", "https://news.example.org"),
        ("https://example.org/news", "https://example.org/news"),
    ],
)
def test_the_public_address_has_no_slash_at_its_end(
    configuration: Configuration, configured: str, public: str
) -> None:
    assert configuration.load(DISTRIBUTOR_WEB_PUBLIC_URL=configured).public_url == public


_FOLDER = '[[sources]]\nname = "my-blog"\nkind = "folder"\npath = "/srv/blog"\n'
_GIT = '[[sources]]\nname = "repository"\nkind = "git"\nurl = "https://example.org/blog.git"\n'
_FEED = '[[sources]]\nname = "feed"\nkind = "url"\nurl = "https://example.org/feed.xml"\n'


def test_sources_keep_their_order(configuration: Configuration) -> None:
    settings = configuration.load(_GIT + _FOLDER + _FEED)

    assert [source.name for source in settings.sources] == ["repository", "my-blog", "feed"]


def test_a_source_is_changed_by_the_environment(configuration: Configuration) -> None:
    settings = configuration.load(_FOLDER, DISTRIBUTOR_SOURCES_MY_BLOG_POLL_SECONDS="7")

    assert settings.sources[0].poll_seconds == 7


@pytest.mark.parametrize(
    ("toml", "wanted"),
    [
        ("[sources]\n", "sources: got dict, wants tables that begin with [[sources]]"),
        ('[[sources]]\nkind = "git"\n', "sources: number 1 has no name; give it one"),
        (
            '[[sources]]\nname = "blog"\n',
            "sources.blog.kind: got 'nothing', wants one of folder, git, url",
        ),
        (
            '[[sources]]\nname = "blog"\nkind = ["git"]\n',
            "sources.blog.kind: got ['git'], wants one of folder, git, url",
        ),
        (
            _FOLDER + _FOLDER.replace("my-blog", "my_blog"),
            "sources.my_blog: has the variables of another source, my-blog; rename it",
        ),
        (
            '[[sources]]\nname = "../x"\nkind = "folder"\npath = "."\n',
            "sources.../x.name: wants text that matches",
        ),
        (
            '[[sources]]\nname = "blog"\nkind = "folder"\n',
            "sources.blog.path: missing; set it in the configuration or as "
            "DISTRIBUTOR_SOURCES_BLOG_PATH",
        ),
        (_FOLDER + "pth = 1\n", "sources.my-blog.pth: there is no such setting"),
        (
            _FEED + "poll_seconds = 0\n",
            "sources.feed.poll_seconds: got 0, wants greater than or equal to 1",
        ),
        (
            _FEED.replace("https://example.org", "ftp://example.org"),
            "sources.feed.url: got 'ftp://example.org/feed.xml', wants an address like https://",
        ),
        (
            _GIT.replace("https://", "ext::sh -c "),
            "sources.repository.url: got 'ext::sh -c example.org/blog.git', wants a repository",
        ),
        (
            _GIT + 'branch = "--upload-pack=x"\n',
            "sources.repository.branch: got '--upload-pack=x', wants the name of a branch",
        ),
        (
            _GIT + 'path = "../.."\n',
            "sources.repository.path: got '../..', wants a folder inside the repository",
        ),
    ],
)
def test_a_wrong_setting_of_a_source_is_one_line_with_its_key(
    configuration: Configuration, toml: str, wanted: str
) -> None:
    problem = configuration.problem(toml)

    assert problem.startswith(wanted)
    assert "\n" not in problem


@pytest.mark.parametrize("toml", [_GIT, _FEED])
@pytest.mark.parametrize("credentials", [f"user:{_SECRET}", _SECRET, f"{_SECRET}:"])
def test_credentials_in_the_address_of_a_source_are_refused_and_not_repeated(
    configuration: Configuration, toml: str, credentials: str
) -> None:
    problem = configuration.problem(toml.replace("https://", f"https://{credentials}@"))

    assert "url: wants an address without a name or password in it" in problem
    assert _SECRET not in problem
