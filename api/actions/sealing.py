"""Sealing an answer as it comes in: from here on nobody on this side can read it.

The web process holds the answers in clear while it checks and seals them, in memory only; the database, its log,
its replicas and its backups never see them (docs/privacy.md says what that does not cover).
"""

import secrets
from collections.abc import Mapping
from typing import Any

from api.store.surveys import Booth
from survey_forms.ballot.envelope import About, Envelope, pack, size_for
from survey_forms.ballot.seal import KEY_LENGTH, seal
from survey_forms.forms.model import Form
from survey_forms.forms.size import largest_answer

_SIZES: dict[str, int] = {}
"""Bytes of a padded envelope by form version; a version never changes."""


def box_size(form: Form) -> int:
    """Bytes of every padded envelope of a form."""
    if form.version not in _SIZES:
        _SIZES[form.version] = size_for(largest_answer(form))
    return _SIZES[form.version]


def seal_answers(public_key: bytes, booth: Booth, form: Form, answers: Mapping[str, Any], about: About) -> bytes:
    """A sealed box with these answers, as long as every other of their form."""
    plain = pack(Envelope(form.version, answers, about))
    ephemeral = secrets.token_bytes(KEY_LENGTH)
    return seal(public_key, booth.survey_id, booth.stratum, plain, box_size(form), ephemeral)
