"""The command line's verbs by name, each in a file of its family.

They are named, not imported: `mingcha score` needs neither PostgreSQL's driver nor a browser's worth of pages, and
whoever recomputes a published figure should not wait two seconds for them. A test loads every one.
"""

VERBS = {
    "demo": "api.commands.demo:demo",
    "serve": "api.commands.serve:serve",
    "worker": "api.commands.serve:worker",
    "init-db": "api.commands.init_db:init_db",
    "draw": "api.commands.draw:draw_command",
    "doctor": "api.commands.doctor:doctor",
    "forms": "api.commands.forms:forms",
    "score": "api.commands.score:score_command",
    "estimate": "api.commands.estimate:estimate_command",
    "simulate": "api.commands.simulate:simulate_group",
    "scheme": "api.commands.scheme:scheme_group",
    "keys": "api.commands.keys:keys_group",
    "ballots": "api.commands.ballots:ballots_group",
    "count": "api.commands.count:count_command",
    "ledger": "api.commands.ledger:ledger_group",
    "recount": "api.commands.recount:recount_command",
    "inspections": "api.commands.inspections:inspections_group",
    "staff": "api.commands.staff:staff_group",
    "receipt": "api.commands.receipt:receipt_group",
    "token": "api.commands.token:token_group",
}
