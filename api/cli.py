"""`mingcha`: the product's command line. Data to standard output, progress and errors to standard error.

Exit status: 0 done, 1 ran with bad news, 2 bad input.
"""

import sys

import click

from api.commands import COMMANDS
from api.problems import LANGUAGES, say
from survey_forms.refusal import Refused


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mingcha")
def group() -> None:
    """明察 Mingcha: evaluation rounds whose every figure can be recomputed."""


for command in COMMANDS:
    group.add_command(command)


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
