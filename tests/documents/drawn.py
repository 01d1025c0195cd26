"""Valid documents of the exchange format, drawn at random and full of edges: ties, boundaries, caps just reached."""

from decimal import Decimal
from random import Random
from typing import Any

Document = dict[str, Any]
Unit = dict[str, Any]

SIZES = (1, 1, 2, 3, 4, 5, 7, 8, 9, 10, 13, 20)
GRADES = (
    [["优", "90"], ["良", "80"], ["中", "60"], ["差", "0"]],
    [["A", "85.5"], ["B", "0"]],
    [["only", "0"]],
    [["高", "100"], ["中", "75.005"], ["低", "40"]],
)
GROUPS = {
    "xiamen-wf-2015": [
        "party_delegates",
        "peoples_congress_deputies",
        "cppcc_members",
        "residents",
        "enterprises",
        "supervisors",
        "conduct_review",
        "service_recipients",
        "city_district_mutual",
        "party_government_mutual",
    ],
    "bailian": ["deputies", "enterprises", "urban_residents", "rural_residents"],
    "fangshan-2017": ["district_leaders", "heads", "deputies", "cppcc_members"],
    "suqian": ["business", "leaders", "deputies", "service_recipients"],
}
CONDITIONS = {
    "xiamen-wf-2015": [
        "leader_disciplined",
        "mass_incident",
        "held_accountable",
        "one_vote_veto",
        "pollution_accident",
        "secrets_leaked",
        "falsification",
    ],
    "bailian": [
        "family_planning",
        "public_order",
        "work_safety",
        "environment",
        "rural_medical_insurance",
        "rural_pension",
    ],
    "jinfeng": ["family_planning", "work_safety", "public_order"],
}
ASPECTS = ["duties", "conduct", "use_of_power", "efficiency", "attitude"]
ITEMS = [
    "quantitative.economy",
    "quantitative.harmony",
    "quantitative.urban_rural",
    "quantitative.self_improvement",
    "social.decisions",
    "social.public_interest",
    "social.self_improvement",
]
BUSINESS = [f"b{number}" for number in range(1, 11)]
CAPACITY = ["democratic", "lawful", "efficient", "clean"]
QUARTERS = ("q1", "q2", "q3", "q4")
DAILY = {
    "department": ("key", "functions", "common"),
    "department_without_key_work": ("functions", "common"),
    "township": ("key", "differential", "common"),
}


class Drawing:
    """Draws one document; the same seed draws the same again."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.chance = Random(f"{name} {seed}")

    def decimal(self, low: int, high: int) -> str:
        places = self.chance.choice([0, 1, 2, 2, 3])
        return f"{Decimal(self.chance.randint(low * 10**places, high * 10**places)).scaleb(-places):f}"

    def score(self, scale: int = 100) -> str:
        kind = self.chance.random()
        if kind < 0.1:
            return self.chance.choice(["0", str(scale), f"{scale}.000"])
        return self.decimal(0 if kind < 0.2 else scale * 6 // 10, scale)

    def scores(self, keys: Any, scale: int = 100) -> dict[str, str]:
        return {key: self.score(scale) for key in keys}

    def shares(self, keys: Any) -> dict[str, str]:
        """Decimals that make 100; at times one takes everything."""
        keys = list(keys)
        if self.chance.random() < 0.2:
            return dict.fromkeys(keys, "0") | {self.chance.choice(keys): "100"}
        places = self.chance.choice([0, 1, 2])
        cuts = sorted(self.chance.randint(0, 100 * 10**places) for _ in keys[1:])
        bounds = [0, *cuts, 100 * 10**places]
        return {key: f"{Decimal(bounds[i + 1] - bounds[i]).scaleb(-places):f}" for i, key in enumerate(keys)}

    def some(self, listed: list[str]) -> list[str]:
        return self.chance.sample(listed, self.chance.randint(1, len(listed))) if self.chance.random() < 0.3 else []

    def ledger(self, *components: str, most: int = 2, aspects: list[str] | None = None) -> list[dict[str, str]]:
        """Deductions, some of them reversed."""
        lines: list[dict[str, str]] = []
        standing: list[str] = []
        for place in range(self.chance.choice([0, 0, 1, 2, 4, 7])):
            line = {"id": f"e{place}"}
            if standing and self.chance.random() < 0.3:
                line["reverses"] = standing.pop(self.chance.randrange(len(standing)))
            else:
                to = self.chance.choice(components)
                line["points"] = self.chance.choice([self.decimal(0, most), "1.5", "3", "0"])
                line |= {"to": to} if to != "inspection" or self.chance.random() < 0.3 else {}
                line |= {"aspect": self.chance.choice(aspects)} if aspects and self.chance.random() < 0.9 else {}
                standing.append(line["id"])
            lines.append(line)
        return lines

    def document(self) -> Document:
        """A document of the scheme."""
        draw = {
            "xiamen-wf-2015": self.xiamen,
            "bailian": self.bailian,
            "yanghe": self.yanghe,
            "water-bureau": self.water_bureau,
            "hami-transport": self.hami_transport,
            "fangshan-2017": self.fangshan,
            "suqian": self.suqian,
            "jinfeng": self.jinfeng,
        }[self.name]
        units = [
            {"id": self.chance.choice([f"u{place}", f"单位.{place}"])} for place in range(self.chance.choice(SIZES))
        ]
        supplied = draw(units)
        for unit in units:
            for key in [key for key, one in unit.items() if not one and self.chance.random() < 0.5]:
                del unit[key]
        self._ties(units)
        return {"scheme": self.name, "supplied": supplied, "units": units}

    def _ties(self, units: list[Unit]) -> None:
        """Lets some units do exactly as others of their class did."""
        while len(units) > 1 and self.chance.random() < 0.6:
            one, other = self.chance.sample(units, 2)
            if one.get("class") == other.get("class"):
                for key in "scores", "deductions", "bonuses", "absences":
                    other.pop(key, None)
                    other |= {key: one[key]} if key in one else {}

    def xiamen(self, units: list[Unit]) -> Document:
        groups = GROUPS[self.name]
        for unit in units:
            if self.chance.random() < 0.2:  # at, just over or just under a boundary
                edge = self.chance.choice(["900", "760", "600", "899.995", "899.9949", "759.995", "599.995", "599.99"])
                unit["scores"] = {"indicator": {"differential": edge}, "public_review": dict.fromkeys(groups, edge)}
                unit["deductions"] = [{"id": "c", "to": "indicator.common", "points": f"{1000 - Decimal(edge):f}"}]
            else:
                most = self.chance.choice([2, 20, 600])
                unit["scores"] = {"indicator": self.scores(["differential"], 1000)}
                unit["scores"]["public_review"] = self.scores(groups, 1000)
                unit["deductions"] = self.ledger("inspection", "inspection", "indicator.common", most=most)
            sanctions = ["admonition", "circulated_criticism", "efficiency_warning", None]
            persons = range(self.chance.choice([0, 0, 1, 3]))
            unit["persons"] = [{"id": f"p{place}", "sanction": self.chance.choice(sanctions)} for place in persons]
            unit |= {"binding": self.some(CONDITIONS[self.name]), "bonuses": []}
        base = self.chance.choice(["15", "17", "0", "14.5", "15.01", "20", "22", "100"])
        return {"public_review.shares": self.shares(groups), "outstanding_base": base}

    def bailian(self, units: list[Unit]) -> Document:
        groups = GROUPS[self.name]
        for unit in units:
            unit["scores"] = {"indicator": self.score(), "public_review": self.scores(groups)}
            unit["deductions"] = self.ledger("inspection", aspects=ASPECTS)
            if self.chance.random() < 0.3:
                edge = self.chance.choice(["90", "85", "75", "89.995", "84.995", "74.995", "84.994", "80"])
                unit["scores"] = {"indicator": edge, "public_review": dict.fromkeys(groups, edge)}
                unit["deductions"] = []
            elif self.chance.random() < 0.2:  # the cap just reached
                unit["deductions"] = [{"id": place, "aspect": "duties", "points": "1.5"} for place in "ab"]
            unit["binding"] = self.some(CONDITIONS[self.name])
        return {"public_review.shares": self.shares(groups)}

    def yanghe(self, units: list[Unit]) -> Document:
        for unit in units:
            edge = self.chance.choice(["90", "80", "60", "89.995", "75.005", "75.00499", "40", "85.495"])
            flat = self.chance.random() < 0.3
            unit["scores"] = {"quantitative": {}, "social": {}}
            for item in ITEMS:
                part, key = item.split(".")
                unit["scores"][part][key] = edge if flat else self.score()
        return {"weights": self.shares(ITEMS)} | self.grades(0.8)

    def grades(self, chance: float) -> Document:
        return {"grades": self.chance.choice(GRADES)} if self.chance.random() < chance else {}

    def water_bureau(self, units: list[Unit]) -> Document:
        for unit in units:
            business = {key: self.scores(["completion", "progress", "innovation"]) for key in BUSINESS}
            unit["scores"] = {"indicator": {"business": business, "capacity": self.scores(CAPACITY)}}
            unit["scores"]["public_review"] = self.scores(["mid_year", "year_end"])
            unit["deductions"] = self.ledger("inspection")
        return {
            "indicator.business.weights": self.shares(BUSINESS),
            "indicator.capacity.weights": self.shares(CAPACITY),
            "public_review.shares": self.shares(["mid_year", "year_end"]),
            "weights": self.shares(["indicator", "public_review"]),
        } | self.grades(0.5)

    def hami_transport(self, units: list[Unit]) -> Document:
        kinds, leaves = ["labour", "recreation", "study"], ["personal", "sick", "annual", "maternity", "外出培训"]
        days = ["15", "15.0", "15.5", "15.01", "14", "1", "0.5", "0", "30", "16", "2"]
        for unit in units:
            edge = self.chance.choice(["91.66", "91.67", "91.665", "91.658", "58.33", "58.325", "58.3249"])
            unit["scores"] = {"results": edge if self.chance.random() < 0.4 else self.score()}
            count = self.chance.choice([0, 0, 1, 3, 8, 40, 199, 200, 201, 230])  # 200 take all
            excused = 0.3 if count < 100 else 0.0
            unit["absences"] = [
                {"kind": self.chance.choice(kinds), "excused": self.chance.random() < excused} for _ in range(count)
            ]
            unit["leave"] = [
                {"kind": self.chance.choice(leaves), "days": self.chance.choice(days)}
                for _ in range(self.chance.choice([0, 1, 2, 3, 5]))
            ]
        return {}

    def fangshan(self, units: list[Unit]) -> Document:
        supplied: Document = {"report_review.shares": self.shares(GROUPS[self.name])} | self.grades(0.3)
        for unit in units:
            unit["class"] = self.chance.choice(list(DAILY))
            keys = DAILY[unit["class"]]
            unit["scores"] = {"daily": self.scores(keys), "report_review": self.scores(GROUPS[self.name])}
            if unit["class"] == "department" and self.chance.random() < 0.3:
                supplied[f"weights.{unit['id']}"] = self.shares(keys)
            unit["deductions"] = self.ledger("daily", most=30)
            unit["bonuses"] = [
                {"id": f"b{place}", "to": "daily", "points": self.decimal(0, 60)}
                for place in range(self.chance.choice([0, 0, 1, 2]))
            ]
        return supplied

    def suqian(self, units: list[Unit]) -> Document:
        classes = ["economic", "enforcement", "party_mass", "central_provincial"][: self.chance.choice([1, 2, 4])]
        pasts = [(2013, 2012), (2012, 2013), (2013,), (), (2013, 2011), (2012, 2011), (2013, 2012, 2011)]
        for unit in units:
            unit["class"] = self.chance.choice(classes)
            year_end = self.scores(GROUPS[self.name])
            unit["scores"] = {"half_year": self.score(), "year_end": year_end}
            if self.chance.random() < 0.3:
                flat = self.chance.choice(["90", "80", "70"])
                unit["scores"] = {"half_year": flat, "year_end": dict.fromkeys(year_end, flat)}
            past = self.chance.choice(pasts)
            unit["history"] = [{"year": year, "last_three": self.chance.random() < 0.7} for year in past]
        supplied: Document = {
            "half_year_share": self.chance.choice(["30", "0", "100", "12.5", "50"]),
            "year_end.weights": self.shares(GROUPS[self.name]),
        }
        if self.chance.random() < 0.9:
            top = self.chance.choice(["30", "25", "0", "50", "12.5", "33.3", "100"])
            bottom = self.chance.choice(["10", "0", "25", "50", "12.5"])
            supplied["bands"] = {"先进": top, "诫勉": bottom if Decimal(top) + Decimal(bottom) <= 100 else "0"}
        return supplied

    def jinfeng(self, units: list[Unit]) -> Document:
        items = [f"i{number}" for number in range(1, self.chance.choice([3, 6, 9]))]
        departments = self.chance.choice([0.0, 0.0, 0.3])
        for unit in units:
            unit["class"] = "department" if self.chance.random() < departments else "town"
            flat = self.chance.choice(["90", "80", "70"]) if self.chance.random() < 0.4 else None
            unit["scores"] = {
                "quarters": {key: dict.fromkeys(items, flat) if flat else self.scores(items) for key in QUARTERS}
            }
            unit["binding"] = self.some(CONDITIONS[self.name])
        zeroed = {condition: self.chance.choice(items) for condition in CONDITIONS[self.name]}
        needed = any(unit["binding"] for unit in units) or self.chance.random() < 0.5
        return {
            "quarter_shares": self.shares(QUARTERS),
            "indicator_weights": self.shares(items),
            **({"binding_indicators": zeroed} if needed else {}),
        } | self.grades(0.5)
