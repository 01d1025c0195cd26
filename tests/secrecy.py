"""An insider's attack on the secrecy of answers, with everything that the owner of the database has.

`Store.of` reads every table of the product with PostgreSQL's own marks: which transaction wrote a row (xmin), where it
lies on disk (ctid), how large it is, and every column's value. `best_link` then tries to say which answer is whose:
by one transaction, by any order against any other, by size. `traces` looks for words in files, in every spelling in
which software would write them.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

SCHEMAS = ("office", "roll", "ballot", "tally", "field", "indicator", "result", "owed", "public")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """A row with what PostgreSQL knows of it."""

    table: str
    xmin: int
    xmax: int
    place: tuple[int, int]  # page and line on disk
    size: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Store:
    """Every row of every table, by table."""

    tables: Mapping[str, Sequence[Row]]

    @classmethod
    def of(cls, engine: Engine) -> "Store":
        with engine.connect() as connection:
            names = connection.execute(
                text(
                    "SELECT table_schema || '.' || quote_ident(table_name) FROM information_schema.tables"
                    " WHERE table_type = 'BASE TABLE' AND table_schema = ANY(:schemas) ORDER BY 1"
                ),
                {"schemas": list(SCHEMAS)},
            ).scalars()
            return cls({name: _rows(connection, name) for name in list(names)})


def _rows(connection: Any, name: str) -> list[Row]:
    found = connection.execute(
        text(
            f"SELECT xmin::text::bigint, xmax::text::bigint, ctid::text, pg_column_size(t.*), to_jsonb(t)"  # noqa: S608
            f" FROM {name} AS t ORDER BY ctid"
        )
    )
    return [
        Row(name, xmin, xmax, tuple(map(int, ctid.strip("()").split(","))), size, values)
        for xmin, xmax, ctid, size, values in found
    ]


@dataclass(frozen=True, slots=True)
class Link:
    """One way to say whose answer is whose, and how many of these guesses are right (in expectation)."""

    how: str
    right: float


def best_link(store: Store, truth: Mapping[str, str], whose: Callable[[Row], str | None], word: str) -> Link:
    """The attacker's best way from a person to their answer.

    Args:
        store: everything in the database.
        truth: code (hexadecimal MAC) → the answer that its owner gave; all answers differ.
        whose: the answer that a row shows in clear, if it does.
        word: names the attack in what is returned.
    """
    return max(links(store, truth, whose), key=lambda link: link.right, default=Link(f"{word}: nothing", 0.0))


def links(store: Store, truth: Mapping[str, str], whose: Callable[[Row], str | None]) -> Iterable[Link]:
    """Every way that was tried."""
    codes = {row.values["mac"].removeprefix("\\x"): row for row in store.tables["roll.access_code"]}
    persons = {mac: codes[mac] for mac in truth if mac in codes}
    answers = [(said, row) for rows in store.tables.values() for row in rows if (said := whose(row)) is not None]
    by_table: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for said, row in answers + _naming(store, {row.values["id"]: said for said, row in answers if "id" in row.values}):
        by_table[row.table].append((said, row))
    for table, shown in by_table.items():
        for via, rows in _companions(store, persons).items():
            yield from _by_transaction(f"{via} = {table}", rows, shown, truth)
            yield from _by_size(f"{via} ~ {table}", rows, shown, truth)
            yield from _by_order(f"{via} / {table}", rows, shown, truth)


def _naming(store: Store, said_by_id: Mapping[str, str]) -> list[tuple[str, Row]]:
    """Rows of other tables that name an answer by its id: they show it too."""
    return [
        (said_by_id[value], row)
        for rows in store.tables.values()
        for row in rows
        for column, value in row.values.items()
        if column != "id" and isinstance(value, str) and value in said_by_id
    ]


def _companions(store: Store, persons: Mapping[str, Row]) -> dict[str, dict[str, Row]]:
    """Each person's own rows: the code's, and whatever any table wrote in the same transaction as the only row."""
    own = {"roll.access_code": dict(persons)}
    for table, rows in store.tables.items():
        by_xmin: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            by_xmin[row.xmin].append(row)
        theirs = {mac: by_xmin[code.xmin][0] for mac, code in persons.items() if len(by_xmin.get(code.xmin, ())) == 1}
        if len(theirs) > len(persons) / 2 and table != "roll.access_code":
            own[table] = theirs
    return own


def _by_transaction(
    how: str, rows: Mapping[str, Row], shown: Sequence[tuple[str, Row]], truth: Mapping[str, str]
) -> Iterable[Link]:
    """Written, or marked, by one transaction: every answer of it is as likely."""
    for mark in ("xmin", "xmax"):
        said_by: dict[int, list[str]] = defaultdict(list)
        for said, row in shown:
            said_by[getattr(row, mark)].append(said)
        right = sum(
            said_by[row.xmin].count(truth[mac]) / len(said_by[row.xmin])
            for mac, row in rows.items()
            if row.xmin in said_by
        )
        # Everybody's in one transaction is no knowledge: a guess among n is right 1/n of the time for each of n.
        yield Link(f"transaction ({mark}): {how}", right)


def _by_size(
    how: str, rows: Mapping[str, Row], shown: Sequence[tuple[str, Row]], truth: Mapping[str, str]
) -> Iterable[Link]:
    """Sizes that go together: rows of the k-th size are the answers of the k-th size, when there are as many."""
    theirs, ours = Counter(row.size for row in rows.values()), Counter(row.size for _, row in shown)
    sizes = dict(zip(sorted(theirs), sorted(ours), strict=False))
    right = 0.0
    for mac, row in rows.items():
        size = sizes.get(row.size)
        if size is not None:
            right += sum(said == truth[mac] for said, one in shown if one.size == size) / ours[size]
    yield Link(f"size: {how}", right)


def _by_order(
    how: str, rows: Mapping[str, Row], shown: Sequence[tuple[str, Row]], truth: Mapping[str, str]
) -> Iterable[Link]:
    """Any order of the persons' rows against any order of the answers', forwards and backwards."""
    orders: dict[str, Callable[[Row], Any]] = {
        "xmin": lambda row: row.xmin,
        "xmax": lambda row: row.xmax,
        "place": lambda row: row.place,
        "size": lambda row: row.size,
    }
    some = next(iter(rows.values()))
    for column in some.values:
        orders[column] = lambda row, column=column: str(row.values.get(column))
    ends: dict[str, Callable[[Row], Any]] = dict(list(orders.items())[:4])
    for column in shown[0][1].values:
        ends[column] = lambda row, column=column: str(row.values.get(column))
    for name, order in orders.items():
        mine = sorted(rows, key=lambda mac: order(rows[mac]))
        for end_name, end in ends.items():
            said = [one for one, _ in sorted(shown, key=lambda pair: end(pair[1]))]
            for direction, guesses in (("", said), (" backwards", said[::-1])):
                right = sum(truth[mac] == guess for mac, guess in zip(mine, guesses, strict=False))
                yield Link(f"order ({name} / {end_name}{direction}): {how}", right)


def spellings(word: str) -> set[bytes]:
    """A word as bytes, in UTF-8, UTF-16, JSON, hexadecimal, and the three alignments of base 64."""
    raw = word.encode()
    found = {raw, word.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode()}
    found.add(ascii(word)[1:-1].encode())
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        found.add(coded[-(-8 * shift // 6) : len(coded) - 4])
    return found


def traces(places: Iterable[Path], words: Iterable[str]) -> list[tuple[Path, bytes]]:
    """The files in which one of the words stands, in any spelling."""
    wanted = {spelling for word in words for spelling in spellings(word)}
    longest = max(map(len, wanted))
    found = []
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not path.is_symlink():
                found += [(path, one) for one in _in_file(path, wanted, longest)]
    return found


def _in_file(path: Path, wanted: set[bytes], longest: int) -> set[bytes]:
    found: set[bytes] = set()
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            window = rest + chunk
            found |= {one for one in wanted if one in window}
            rest = window[-longest:]
    return found
