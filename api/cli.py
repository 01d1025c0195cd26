"""`mingcha`: the product's command line. Data to standard output, progress and errors to standard error.

Exit status: 0 done, 1 ran with bad news, 2 bad input.
"""

import sys
from importlib import import_module

import click

from api.commands import VERBS
from api.problems import LANGUAGES, say
from survey_forms.refusal import Refused


class Verbs(click.Group):
    """A group that imports a verb's module when the verb is called or listed."""

    def list_commands(self, _: click.Context) -> list[str]:
        """The verbs' names, in the order in which a newcomer meets them."""
        return list(VERBS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """The verb of that name, None for a stranger."""
        if name not in VERBS:
            return None
        module, attribute = VERBS[name].split(":")
        verb: click.Command = getattr(import_module(module), attribute)
        return verb


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mingcha")
def group() -> None:
    """明察 Mingcha: evaluation rounds whose every figure can be recomputed."""


def main() -> None:
    """Run the command line; a refusal becomes a sentence in Chinese and English and exit status 2."""
    try:
        group(standalone_mode=True)
    except Refused as refused:
        for fault in refused.faults:
            for language in LANGUAGES:
                click.echo(say(fault, language), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
