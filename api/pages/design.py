"""`/design`: the living page of the design system. It shows the parts themselves, so it cannot go stale."""

from flask import Blueprint
from werkzeug.wrappers import Response

from api.auth import allow_anyone
from api.pages.charts import Band, Mark, Share, interval_chart, share_chart
from api.pages.palette import contrast, tokens
from api.pages.render import page, t

pages = Blueprint("design", __name__)

TEXT_ON = ("paper", "surface", "sunken")
TEXT_COLOURS = ("ink", "ink-soft", "ink-faint", "accent", "accent-deep", "good", "warn", "bad")
TINTS = (("good", "good-tint"), ("warn", "warn-tint"), ("bad", "bad-tint"), ("accent", "accent-tint"))

# Shown on the page and nowhere else; the numbers are made up, and the page says so.
SAMPLE_MARKS = (
    Mark("市公安局", 921.4, 915.2, 927.1, "921.4 优秀"),
    Mark("市人力资源和社会保障局", 903.8, 896.0, 911.3, "903.8 优秀"),
    Mark("Culture, Radio, TV and Press Bureau", 861.0, 849.5, 872.2, "861.0 良好", weak=True),
    Mark("市体育局", None, note="—"),
)
SAMPLE_BANDS = (Band("良好", 760, 900), Band("优秀", 900, 1000))
SAMPLE_SHARES = (Share("城乡居民", 330, 900, "330 / 900"), Share("党代表", 58, 60, "58 / 60"))


@pages.get("/design")
@allow_anyone
def design() -> Response:
    """Show every part of the design system in each of its states. It holds no data of anybody's."""
    known = tokens()
    colours = [
        (name, known[name], [(ground, contrast(known[name], known[ground])) for ground in TEXT_ON])
        for name in TEXT_COLOURS
    ]
    tints = [(name, tint, known[tint], contrast(known[name], known[tint])) for name, tint in TINTS]
    intervals = interval_chart(
        SAMPLE_MARKS,
        t("示例：得分与区间", "Sample: scores with intervals"),
        t("四个单位的得分点和区间，其中一个没有得分。", "Four units with dots and intervals; one has no score."),
        SAMPLE_BANDS,
    )
    shares = share_chart(SAMPLE_SHARES, t("示例：应答率", "Sample: response"), "330 / 900, 58 / 60")
    return page("design.html", colours=colours, tints=tints, intervals=intervals, shares=shares)
