"""The command line's verbs, one file a family."""

import click

from api.commands.doctor import doctor
from api.commands.draw import draw_command
from api.commands.forms import forms
from api.commands.init_db import init_db
from api.commands.serve import serve, worker

COMMANDS: tuple[click.Command, ...] = (
    serve,
    worker,
    init_db,
    draw_command,
    doctor,
    forms,
)
