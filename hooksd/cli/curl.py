"""`hooksd curl`: the command that repeats a delivery by hand."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from hooksd.cli.deliveries import records_of
from hooksd.cli.exchange import Tree, body_of
from hooksd.cli.history import log_of
from hooksd.cli.invocation import shared_options
from hooksd.cli.output import note, safe, say
from hooksd.cli.secrecy import hidden_texts
from hooksd.cli.shell import Variables, bytes_of, is_plain, word
from hooksd.errors import HooksdError, UsageError

MUCH = 2**20
"""Bytes of a body from which on curl would ask first whether it may send it."""
SIGNATURES = ("webhook-signature", "stripe-signature")
"""Headers of signatures over a time."""


@click.command()
@shared_options
@click.argument("delivery")
@click.option("--attempt", type=click.IntRange(min=1), metavar="NUMBER", help="Which one. Default: the last.")
@click.option("--body", "file", metavar="FILE", help="Write the body there, and let curl read it from there.")
@click.pass_context
def command(ctx: click.Context, delivery: str, attempt: int | None, file: str | None) -> None:
    """Print the curl that sends a delivery as an attempt sent it. Needs no daemon.

    Secrets are not in the log: they are variables of the shell, and the script says which ones it needs.
    """
    reader = log_of(ctx)
    trees = records_of(reader, delivery)
    exchange = _exchange(trees, attempt)
    created = next(tree for tree in trees if tree["type"] == "delivery.created")
    body = b""
    if exchange["request_size"]:
        try:
            body = body_of(created["body"], reader.blob)
        except KeyError as error:
            raise HooksdError(f"the body is not beside the log any more: {safe(created['body']['content'])}") from error
    if file is not None:
        _write(Path(file), body)
    say(script(exchange, body, file, hidden_texts(ctx) if body and file is None else ()))
    _warn(exchange, body)


def _exchange(trees: Sequence[Tree], number: int | None) -> Tree:
    made = [tree for tree in trees if tree["type"] == "attempt.ended" and tree["exchange"]["method"]]
    fitting = made if number is None else [tree for tree in made if tree["number"] == number]
    if fitting:
        exchange: Tree = fitting[-1]["exchange"]
        return exchange
    numbers = ", ".join(str(tree["number"]) for tree in made)
    if not numbers:
        raise UsageError("no request has been made for this delivery yet")
    raise UsageError(f"there is no attempt {number}: there are {numbers}")


def _write(path: Path, body: bytes) -> None:
    try:
        # It may hold what nobody else should read.
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as target:
            target.write(body)
    except FileExistsError as error:
        raise UsageError(f"--body: {safe(path)} is there already; name another file") from error
    except OSError as error:
        raise UsageError(f"--body: cannot write {safe(path)}: {error.strerror}") from error


def script(exchange: Tree, body: bytes, file: str | None, hidden: Sequence[str]) -> str:
    """Return the commands that repeat a request.

    Args:
        exchange: Of the attempt, as the log has it.
        body: What was sent.
        file: Where the body is; None: it is part of the script.
        hidden: Secrets that the body may hold.

    Raises:
        HooksdError: It does hold one, and is no text that a variable could stand in.
    """
    variables = Variables()
    url, method = str(exchange["url"]), str(exchange["method"])
    lines = [f"curl {variables.word(url, 'URL', 'the URL')}"]
    if any(mark in url for mark in "[]{}"):
        lines.append("--globoff")
    if method != ("POST" if body else "GET"):
        lines.append(f"-X {word(method)}")
    lines += _headers(exchange["request_headers"], variables, body)
    before = ""
    if body and file is not None:
        lines.append(f"--data-binary {word(f'@{file}')}")
    elif body and is_plain(body):
        lines.append(f"--data-raw {variables.word(body.decode(), 'BODY', 'the body', hidden)}")
    elif any(text.encode("utf-8", "surrogatepass") in body for text in hidden):
        raise HooksdError("the body is no plain text and holds a secret: write it to a file with --body FILE")
    elif body:
        before = f"{bytes_of(body)} | "
        lines.append("--data-binary @-")
    return "\n".join([*variables.needed(), before + " \\\n  ".join(lines)])


def _headers(headers: Tree, variables: Variables, body: bytes) -> Iterator[str]:
    for name, value in headers.items():
        yield f"-H {variables.word(f'{name}: {value}' if value else f'{name};', str(name), f'the header {name}')}"
    # What curl would add by itself.
    if body and "content-type" not in {str(name).lower() for name in headers}:
        yield "-H Content-Type:"
    if len(body) >= MUCH:
        yield "-H Expect:"


def _warn(exchange: Tree, body: bytes) -> None:
    if hashlib.sha256(body).hexdigest() != exchange["request_sha256"]:
        note("the endpoint made something else of this body before it was sent: what is printed is what it was given")
    if any(str(name).lower() in SIGNATURES for name in exchange["request_headers"]):
        note("the signature is that of the attempt: a receiver that looks at its time takes it for a few minutes only")
