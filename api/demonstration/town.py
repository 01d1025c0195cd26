"""The demonstration's world: units, sites, respondent groups, staff. Invented, and said to be so on every page.

The six districts and their populations are the 2020 census's; everything else is made up for trying the product.
"""

from dataclasses import dataclass

EVALUATION = "xiamen-wf-2015"
SCHEME = "xiamen-wf-2015"
YEAR = 2015
NAME_ZH = "厦门市 2015 年度绩效考评（演示）"
NAME_EN = "Xiamen performance evaluation 2015 (demonstration)"
ROUND_ZH, ROUND_EN = "年度公众评议", "Annual public review"
SEALED_EVALUATION = "xiamen-sealed-2015"
SEALED_NAME_ZH = "密封评议示例（演示）"
SEALED_NAME_EN = "A sealed survey (demonstration)"
SEALED_ZH, SEALED_EN = "人大代表密封评议", "Deputies' sealed review"

UNITS = (
    ("education", "市教育局", "Education Bureau"),
    ("civil_affairs", "市民政局", "Civil Affairs Bureau"),
    ("health", "市卫生和计划生育委员会", "Health and Family Planning Commission"),
    ("human_resources", "市人力资源和社会保障局", "Human Resources and Social Security Bureau"),
    ("public_security", "市公安局", "Public Security Bureau"),
    ("justice", "市司法局", "Justice Bureau"),
    ("culture", "市文化广电新闻出版局", "Culture, Radio, TV and Press Bureau"),
    ("sports", "市体育局", "Sports Bureau"),
)

SUPPLIED = {
    "public_review.shares": {
        "party_delegates": "10",
        "peoples_congress_deputies": "10",
        "cppcc_members": "10",
        "residents": "20",
        "enterprises": "10",
        "supervisors": "5",
        "conduct_review": "5",
        "service_recipients": "15",
        "city_district_mutual": "10",
        "party_government_mutual": "5",
    },
    "outstanding_base": "15",
}
SUPPLIED_NOTE = "演示用数值：文件所附的评议主体权重表没有公布，这里的权重仅供演示。"


@dataclass(frozen=True, slots=True)
class District:
    """A stratum of residents: the district's population in the 2020 census."""

    code: str
    name_zh: str
    name_en: str
    population: int


DISTRICTS = (
    District("siming", "思明区", "Siming", 1_073_315),
    District("haicang", "海沧区", "Haicang", 582_519),
    District("huli", "湖里区", "Huli", 1_036_974),
    District("jimei", "集美区", "Jimei", 1_036_987),
    District("tongan", "同安区", "Tong'an", 855_920),
    District("xiangan", "翔安区", "Xiang'an", 578_255),
)
RESIDENTS = 20_000  # members of the frame
RESIDENTS_DRAWN = 900


@dataclass(frozen=True, slots=True)
class Group:
    """A respondent group: its form, the members of its list, how many are drawn, how many have answered already."""

    code: str
    name_zh: str
    name_en: str
    form: str
    members: int
    drawn: int
    answered: int


GROUPS = (
    Group("residents", "城乡居民代表", "Urban and rural residents", "residents", RESIDENTS, RESIDENTS_DRAWN, 240),
    Group("party_delegates", "党代表", "Party delegates", "deputies", 320, 60, 40),
    Group("peoples_congress_deputies", "人大代表", "People's congress deputies", "deputies", 380, 60, 40),
    Group("cppcc_members", "政协委员", "CPPCC members", "deputies", 410, 60, 40),
    Group("enterprises", "企业代表", "Enterprise representatives", "deputies", 600, 60, 40),
    Group("supervisors", "监督员", "Supervisors", "deputies", 120, 60, 40),
    Group("conduct_review", "行风政风评议代表", "Conduct reviewers", "deputies", 90, 60, 40),
    Group("service_recipients", "服务对象", "Service recipients", "service_recipients", 2400, 60, 40),
    Group("city_district_mutual", "市区互评代表", "City and district mutual review", "deputies", 80, 60, 40),
    Group("party_government_mutual", "党政互评代表", "Party and government mutual review", "deputies", 70, 60, 40),
)

RANDOMNESS = "演示：福建体彩 2015-12-01 第 15142 期（虚构）07 12 19 23 31 + 04"
"""In a real round this is named beforehand and read off a later public drawing."""

STAFF = (
    ("office", "office", "陈静（效能办）"),
    ("office2", "office", "林国栋（效能办）"),
    ("office3", "office", "王秀兰（效能办）"),
    ("inspector", "inspector", "黄丽娟（察访员）"),
    ("inspector2", "inspector", "吴志强（察访员）"),
    ("inspector3", "inspector", "何晓东（第三方）"),
    ("interviewer", "interviewer", "苏美玲（访问员）"),
    ("interviewer2", "interviewer", "许文斌（访问员）"),
    ("visitor", "interviewer", "蔡志勇（入户访问员）"),
    ("supervisor", "supervisor", "叶敏（访问督导）"),
    ("bureau", "bureau", "郑晓燕（统计局）"),
    ("unit", "unit", "教育局联络员"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A site of a unit; position in degrees, WGS-84, fence in metres."""

    unit: str
    name_zh: str
    name_en: str
    address: str
    lat: float
    lon: float
    radius_m: int


PLACES = (
    Place("education", "教育局办事窗口", "Education service desk", "思明区（演示）1 号", 24.4798, 118.0894, 120),
    Place("education", "招生考试中心", "Examinations centre", "湖里区（演示）2 号", 24.5101, 118.1461, 150),
    Place("civil_affairs", "婚姻登记处", "Marriage registry", "思明区（演示）3 号", 24.4615, 118.0989, 120),
    Place("civil_affairs", "社会救助窗口", "Social relief desk", "集美区（演示）4 号", 24.5756, 118.0972, 150),
    Place("health", "预防接种门诊", "Vaccination clinic", "海沧区（演示）5 号", 24.4846, 118.0329, 150),
    Place("health", "医疗投诉接待室", "Medical complaints office", "思明区（演示）6 号", 24.4721, 118.0812, 120),
    Place("human_resources", "社保经办大厅", "Social insurance hall", "湖里区（演示）7 号", 24.4987, 118.1287, 200),
    Place("human_resources", "人才服务中心", "Talent service centre", "思明区（演示）8 号", 24.4869, 118.1123, 150),
    Place("public_security", "出入境办证大厅", "Exit-entry hall", "思明区（演示）9 号", 24.4833, 118.0937, 200),
    Place("public_security", "户籍窗口", "Household registration desk", "同安区（演示）10 号", 24.7229, 118.1519, 150),
    Place("justice", "法律援助中心", "Legal aid centre", "思明区（演示）11 号", 24.4702, 118.1046, 120),
    Place("justice", "公证处", "Notary office", "翔安区（演示）12 号", 24.6187, 118.2478, 150),
    Place("culture", "图书馆服务台", "Library desk", "思明区（演示）13 号", 24.4676, 118.1178, 200),
    Place("culture", "文化市场执法队", "Culture market enforcement", "湖里区（演示）14 号", 24.5133, 118.1102, 150),
    Place("sports", "市体育中心", "Municipal sports centre", "思明区（演示）15 号", 24.4842, 118.1159, 300),
    Place("sports", "社会体育指导中心", "Community sports centre", "集美区（演示）16 号", 24.5932, 118.1041, 200),
)
