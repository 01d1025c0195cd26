"""The July round's world: thirty thousand water users in six districts, who they are and how they would answer.

Invented, as everything here. Who a person is follows from their number alone, so the same people live in every run; how
they judge hangs on their age, and so does whether they pick up the telephone. A report that did not weigh its answers
would therefore be wrong, and by how much can be told: everybody's judgement is known here.
"""

from dataclasses import dataclass
from random import Random

from api.demonstration.town import DISTRICTS
from survey_forms.sampling.allocate import proportional

EVALUATION, SCHEME, YEAR = "water-bureau-2026", "water-bureau", 2026
NAME_ZH, NAME_EN = "水务局 2026 年绩效考评（演示）", "Water bureau evaluation 2026 (demonstration)"
SURVEY_ZH, SURVEY_EN = "7 月公众评议", "July public review"
GROUP, GROUP_ZH, GROUP_EN = "residents", "用水居民", "Water users"
COMPONENT = "public_review.mid_year"
FRAME, SAMPLE = 30_000, 600
RANDOMNESS_SOURCE = "中国福利彩票双色球第 2026128 期开奖号码"
RANDOMNESS_FORM = "双色球 2026128：## ## ## ## ## ## + ##"
RANDOMNESS = "双色球 2026128：03 09 14 21 27 33 + 08"
SCRIPT_ZH = (
    "您好，我是市水务局委托的访问员。您家是由抽签选出来的，想请您评议今年的供水、排水等工作，大约需要 4 分钟。"
    "不记您的姓名，谁也看不到您个人的答案；您可以不参加，也可以随时停下。现在方便吗？"
)
SCRIPT_EN = (
    "Good day, I am calling on behalf of the water bureau. Your home was drawn by lot to judge this year's water "
    "services; it takes about 4 minutes. Your name is not recorded and nobody sees your own answers; you may decline "
    "or stop. Is this a good time?"
)
UNITS = (
    ("supply", "供水管理处", "Water Supply Division", 0.35),
    ("drainage", "排水管理处", "Drainage Division", -0.55),
    ("flood", "防汛抗旱办公室", "Flood and Drought Office", 0.15),
    ("rivers", "河道管理处", "Rivers Division", -0.15),
    ("saving", "节约用水办公室", "Water Saving Office", 0.0),
    ("quality", "水质监测中心", "Water Quality Centre", 0.45),
    ("works", "工程建设处", "Works Division", -0.35),
    ("hotline", "供水服务热线", "Service Hotline", 0.2),
)
"""Code, names, and how well the unit does, on a scale where 0 is the middling one."""

SUPPLIED = {
    "weights": {"indicator": "60", "public_review": "40"},
    "public_review.shares": {"mid_year": "40", "year_end": "60"},
    "indicator.business.weights": {f"b{number}": "10" for number in range(1, 11)},
    "indicator.capacity.weights": {"democratic": "25", "lawful": "25", "efficient": "25", "clean": "25"},
}
"""What the document leaves out; invented."""

AGES = (("18-34", 0.34, -0.45, 0.3), ("35-54", 0.38, 0.0, 0.5), ("55+", 0.28, 0.4, 0.75))
"""Level, share, leniency, and how likely a person of it is to take part when reached."""
SEXES = ("f", "m")
HEADINGS = ("成员编号", "层", "年龄段", "性别", "手机", "纬度", "经度", "村居")
_SOUTH, _WEST, _WIDE = 24.45, 118.02, 0.12


@dataclass(frozen=True, slots=True)
class Resident:
    """One water user. `lenient` shifts every judgement; `willing` is the chance to take part when reached."""

    member: str
    district: str
    age: str
    sex: str
    lenient: float
    willing: float
    reachable: float  # at one attempt
    phone: str
    latitude: float
    longitude: float
    community: str


def populations(size: int = FRAME) -> dict[str, int]:
    """How many of them live in each district, as the 2020 census has it."""
    return proportional({one.code: one.population for one in DISTRICTS}, size)


def residents(size: int = FRAME) -> list[Resident]:
    """Everybody in the frame, by district."""
    found: list[Resident] = []
    for place, (district, number) in enumerate(populations(size).items()):
        found += [_resident(district, place, at, len(found) + at) for at in range(1, number + 1)]
    return found


def frame_sheet(people: list[Resident]) -> bytes:
    """The frame as a district office keeps it: CSV in GB18030, with Chinese headings."""
    lines = [",".join(HEADINGS)]
    lines += [
        f"{one.member},{one.district},{one.age},{one.sex},{one.phone},{one.latitude:.5f},{one.longitude:.5f},{one.community}"
        for one in people
    ]
    return ("\r\n".join(lines) + "\r\n").encode("gb18030")


def _resident(district: str, place: int, number: int, serial: int) -> Resident:
    member = f"{district}-{number:05d}"
    chance = Random(f"july:{member}")  # noqa: S311 - shapes simulated people, protects nobody
    age, _, lenient, willing = chance.choices(AGES, [share for _, share, _, _ in AGES])[0]
    return Resident(
        member=member,
        district=district,
        age=age,
        sex=chance.choice(SEXES),
        lenient=lenient + chance.gauss(0.0, 0.4),
        willing=willing,
        reachable=0.35 + 0.3 * chance.random(),
        phone=f"154{serial:08d}",  # a prefix that no operator has
        latitude=_SOUTH + (place // 3 + chance.random()) * _WIDE,
        longitude=_WEST + (place % 3 + chance.random()) * _WIDE,
        community=f"{district}-c{chance.randrange(24):02d}",
    )
