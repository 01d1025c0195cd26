"""The command line's verbs, one file a family."""

import click

from api.commands.demo import demo
from api.commands.doctor import doctor
from api.commands.draw import draw_command
from api.commands.forms import forms
from api.commands.init_db import init_db
from api.commands.recount import recount_command
from api.commands.scheme import scheme_group
from api.commands.score import score_command
from api.commands.serve import serve, worker
from api.commands.token import token_group

COMMANDS: tuple[click.Command, ...] = (
    demo,
    serve,
    worker,
    init_db,
    draw_command,
    doctor,
    forms,
    score_command,
    scheme_group,
    recount_command,
    token_group,
)
