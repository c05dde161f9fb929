"""Options that every command has."""

from __future__ import annotations

import click

from hooksd.cli.invocation import FLAGS, Invocation, shared_options
from hooksd.config.settings import Settings
from tests.cli.conftest import Command


def test_every_shared_option_is_a_setting_of_the_same_name() -> None:
    assert set(FLAGS) <= set(Settings.model_fields)


def test_the_last_word_counts_and_what_is_not_said_is_left_to_other_sources() -> None:
    seen = Invocation()

    @click.group()
    @shared_options
    def outer() -> None:
        pass

    @outer.command()
    @shared_options
    def inner() -> None:
        pass

    outer.main(["--log-dir", "a", "--config", "c.toml", "inner", "--log-dir", "b"], standalone_mode=False, obj=seen)

    assert seen.flags == {"log_dir": "b"}
    assert str(seen.config) == "c.toml"


def test_help_of_a_command_shows_its_own_options_and_where_the_others_stand(hooksd: Command) -> None:
    whole, serve, tail = (hooksd(*command, "--help").out for command in ((), ("serve",), ("tail",)))

    for text in (whole, serve):
        assert all(f"--{name.replace('_', '-')} " in text for name in ("config", *FLAGS))
    assert "--config, --log-dir, ...  As for every command: see `hooksd --help`." in tail
    assert "--state-dir" not in tail
    assert "--no-follow" in tail
