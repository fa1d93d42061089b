"""`dkim`: make signing keys, and see whether DNS publishes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import session
from distributor.cli.commands import Commands
from distributor.cli.doctor import print_finding
from distributor.cli.output import out, print_json

app = Commands(help="Keys that sign the email (DKIM).", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def generate(
    domain: Annotated[str, typer.Option(help="The domain of the From address.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the private keys.")],
    selector: Annotated[
        str, typer.Option(help="Names the key in DNS; a new one each time.")
    ] = "d1",
    kind: Annotated[
        list[str] | None, typer.Option(help="rsa or ed25519; without it, both.")
    ] = None,
    json: _Json = False,
) -> None:
    """Make an RSA key of 2048 bits and an ed25519 key, and show their DNS records.

    Older mail servers know RSA alone, so a message carries both signatures.

    Example: distributor dkim generate --domain example.org --out /etc/distributor
    """
    from channels.email.dkim_keys import KeyKind, zone_line
    from distributor.operations import dkim as operation
    from distributor.operations.errors import WrongRequest

    try:
        kinds = tuple(KeyKind(one) for one in dict.fromkeys(kind or KeyKind))
    except ValueError:
        raise WrongRequest(f"--kind wants rsa or ed25519, not {', '.join(kind or ())}") from None
    for made in operation.generate_keys(out_dir, kinds, selector, domain):
        key, name = made.key, made.record_name
        if json:
            about = {"kind": key.kind.value, "selector": key.selector, "file": str(made.path)}
            print_json({**about, "name": name, "record": key.record})
            continue
        out.print(f"# {key.kind}: the private key is {made.path}; for the account:")
        _print(f'dkim_{key.kind}_selector = "{key.selector}"')
        _print(f'dkim_{key.kind}_key_file = "{made.path.absolute()}"')
        out.print("# and in DNS:")
        _print(zone_line(name, key.record))
        out.print()


@app.command()
def check(
    account: Annotated[str | None, typer.Argument(help="An email account; by default all.")] = None,
    nameserver: Annotated[
        str | None, typer.Option(help="HOST or HOST:PORT to ask, before DNS has caught up.")
    ] = None,
    json: _Json = False,
) -> None:
    """See whether signatures verify with what DNS publishes. Exit code 1 when they do not.

    Example: distributor dkim check relay
    """
    from channels.email.dkim_keys import KeyProblem, zone_line
    from distributor.operations import dkim as operation
    from distributor.operations.doctor import Health

    broken = False
    accounts = operation.signing_accounts(session.settings(), account)
    if not accounts:
        out.print("No account signs its mail. Make keys with: distributor dkim generate")
    for one in accounts:
        findings = list(operation.check(one, nameserver))
        for finding in findings:
            print_finding(finding, json)
        if any(finding.health is Health.BROKEN for finding in findings):
            broken = True
        if json:
            continue
        try:
            keys = one.signing_keys()
        except KeyProblem:
            continue
        for key in keys:
            _print(zone_line(key.record_name(one.signing_domain), key.record))
    if broken:
        raise typer.Exit(1)


def _print(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)
