"""The command line's verbs, one file a family."""

import click

COMMANDS: tuple[click.Command, ...] = ()
