"""`mingcha demo`: the whole product on this machine, with an evaluation in it to try."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from api.actions.frames import registry_of
from api.actions.responses import CODE_NAMESPACE
from api.commands.running import House, house, inherited, tell
from api.commands.serve import data_option, host_option, port_option, ready_tables
from api.demonstration import town
from api.demonstration.load import Service, is_loaded, load
from api.demonstration.sheet import code_sheet
from api.embedded.place import Place, write_private
from api.evidence.header import read_header
from api.object_store import open_objects
from api.problems import LANGUAGES, say
from api.store import roll
from api.store.base import make_engine
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import code_mac, display

SHOWN = 2  # codes a group on the terminal; all of them are in demo.json
ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "MINGCHA_GATEWAY_URL")
ROLES = {
    "office": "效能办 office",
    "inspector": "察访员 inspector",
    "interviewer": "访问员 interviewer",
    "supervisor": "访问督导 supervisor",
    "bureau": "统计局 bureau",
    "unit": "被考核单位 unit",
}


@dataclass(frozen=True, slots=True)
class Guide:
    """What `demo.json` holds: where to go, with which codes and logins."""

    base_url: str
    codes: dict[str, list[str]]  # unused, by respondent group
    logins: dict[str, dict[str, str]]  # username and password, by user name
    sealed: dict[str, Any] = field(default_factory=dict)  # the sealed survey: number, codes, folder of the key's shares


@click.command(help="在本机运行演示评估：数据库、队列、网站和后台进程一起启动。Run the demonstration on this machine.")
@host_option
@port_option
@data_option
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="首次装入时用这个目录里的照片。Take the inspections' photos from this directory at the first start.",
)
def demo(host: str, port: int, data: Path, photos: Path | None) -> None:
    """Until a stop signal comes. Always on its own servers: simulated answers have no place in a real database."""
    env = inherited()
    if named := [name for name in ELSEWHERE if env.pop(name, "")]:
        tell(f"演示只用内置服务，忽略 {'、'.join(named)} / the demonstration ignores {', '.join(named)}")
    with house(data, env, (host, port)) as opened:
        ready_tables(opened)
        guide = _prepare(opened, photos)
        opened.start_web(host, port)
        opened.start_workers()
        click.echo(layout(guide, opened.place))
        opened.supervisor.watch()


def _own_photos(directory: Path) -> Iterator[bytes]:
    """The photos of a directory; what no phone could hand in is told and passed over."""
    for file in sorted(directory.iterdir()):
        if file.is_file():
            content = file.read_bytes()
            try:
                read_header(content)
            except Refused as refused:
                tell(f"{file.name}：{' / '.join(say(refused.faults[0], language) for language in LANGUAGES)}")
            else:
                yield content


def _prepare(opened: House, photos: Path | None) -> Guide:
    """Load the demonstration if it is not there, and bring `demo.json` up to date.

    Raises:
        Refused: the database knows only the codes' MACs, and the file that held the codes is gone.
    """
    settings, file = opened.settings, opened.place.demo_file
    engine = make_engine(settings.database_url)
    try:
        with engine.begin() as connection:
            if is_loaded(connection):
                kept = _kept(file)
                codes = {
                    group: [
                        code
                        for code in codes
                        if not _spent(roll.stratum_of_code(connection, _mac(settings.pepper, code)))
                    ]
                    for group, codes in kept.codes.items()
                }
                guide = Guide(settings.base_url, codes, kept.logins, kept.sealed)
            else:
                tell(
                    "首次启动：正在装入演示数据，约半分钟 / first start: loading the demonstration, about half a minute"
                )
                own = list(_own_photos(photos)) if photos else []
                registry = registry_of(settings.objects, settings.secret_key)
                service = Service(open_objects(settings), registry, settings.pepper, settings.secret_key)
                loaded = load(connection, service, datetime.now(UTC), own)
                logins = {name: {"username": name, "password": word} for name, word in loaded.passwords.items()}
                sealed = {
                    "survey": loaded.sealed.survey_id,
                    "codes": loaded.sealed.codes,
                    "keys": str(_keys(opened.place)),
                }
                guide = Guide(settings.base_url, loaded.codes, logins, sealed)
                _keep_keys(_keys(opened.place), loaded.sealed.files)
                _keep_keys(_keys(opened.place) / "july", loaded.july.files)
            # Before the commit: codes that are in the database and nowhere else could never be used.
            write_private(file, json.dumps(asdict(guide), ensure_ascii=False, indent=1))
            write_private(opened.place.code_sheet, code_sheet(guide.base_url, guide.codes, settings.pepper))
    finally:
        engine.dispose()
    return guide


def _keys(place: Place) -> Path:
    return place.demo_file.parent / "demo-ballot-keys"


def _keep_keys(directory: Path, files: Mapping[str, bytes]) -> None:
    """The custodians' shares, which in a real survey are never on this machine."""
    directory.mkdir(mode=0o700, exist_ok=True)
    for name, content in files.items():
        write_private(directory / name, content.decode())


def _kept(file: Path) -> Guide:
    try:
        return Guide(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise Refused("demo_guide_lost", str(file), directory=str(file.parent)) from None


def _mac(pepper: bytes, code: str) -> bytes:
    return code_mac(pepper, CODE_NAMESPACE, code)


def _spent(found: roll.FoundCode | None) -> bool:
    return found is None or found.closed


def layout(guide: Guide, place: Place) -> str:
    """The guide as a person reads it on a terminal."""
    names = {group.code: f"{group.name_zh} {group.code}" for group in town.GROUPS}
    codes = {names.get(group, group): "  ".join(map(display, codes[:SHOWN])) for group, codes in guide.codes.items()}
    logins = {
        ROLES[name]: f"{login['username']:<9}  {login['password']}"
        for name, login in guide.logins.items()
        if name in ROLES
    }
    return "\n".join(
        [
            "",
            f"明察 Mingcha 已启动  {guide.base_url}/",
            f"{town.NAME_ZH}：机构与答卷均为模拟，仅供试用。",
            f"{town.NAME_EN}: units and answers are simulated.",
            "",
            f"作答：打开 {guide.base_url}/ 输入一个号码（一号一次） / answer: type one code, each works once",
            *_table(codes),
            *_sealed(guide),
            "",
            f"登录 / sign in: {guide.base_url}/login",
            *_table(logins),
            "",
            f"全部号码和登录 / all codes and logins: {place.demo_file}",
            f"二维码 / codes to scan with a phone: {place.code_sheet}",
            f"日志 / logs: {place.logs}",
            "Ctrl-C 停止；数据保留，下次启动继续 / Ctrl-C stops it; the data stay for the next start",
        ]
    )


def _sealed(guide: Guide) -> list[str]:
    if not guide.sealed:
        return []
    codes = "  ".join(map(display, guide.sealed["codes"][:SHOWN]))
    return [
        "",
        "密封评议（截止后由两位保管人计票） / sealed survey, counted by two custodians after its close:",
        *_table({town.SEALED_ZH: codes, "份额单 / shares": guide.sealed["keys"]}),
    ]


def _table(rows: Mapping[str, str]) -> list[str]:
    """Two aligned columns; a Chinese character is two places wide."""
    widest = max(map(_width, rows), default=0)
    return [f"  {name}{' ' * (widest - _width(name))}  {value}" for name, value in rows.items()]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
