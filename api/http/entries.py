"""Answers as the API sends them → as a form does: numbers as digits, a repeat's list of objects as flat keys."""

from typing import Any


def flattened(answers: dict[str, Any]) -> dict[str, Any]:
    """The keys and values that `read_answers` reads; what it cannot read stays as it came, for it to say so.

    `{"person": [{"age": 30}, {"age": 4}]}` becomes `{"person": "2", "person.1.age": "30", "person.2.age": "4"}`.
    """
    flat: dict[str, Any] = {}
    for name, value in answers.items():
        if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            flat[name] = str(len(value))
            for number, entry in enumerate(value, start=1):
                flat |= {f"{name}.{number}.{question}": _plain(one) for question, one in entry.items()}
        else:
            flat[name] = _plain(value)
    return flat


def _plain(value: Any) -> Any:
    return str(value) if type(value) in {int, float} else value
