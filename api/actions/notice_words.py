"""The privacy notice as it reads before the office writes its own: what this system does, and nothing that it does not.

The Uyghur wording awaits a native reviewer, as everything in `api/languages/ug.toml` does.
"""

_SPONSOR = {
    "zh": "{zh}的组织单位（给您发通知的绩效管理机构）",
    "en": "The organiser of “{en}”: the performance office that sent your letter",
    "ug": "«{zh}» نى ئۇيۇشتۇرغۇچى ئورۇن (سىزگە ئۇقتۇرۇش ئەۋەتكەن ئۈنۈم باشقۇرۇش ئورگىنى)",
}
_PURPOSE = {
    "zh": "了解公众对政府部门工作的评价，按考评方案计入这些单位的得分。不作其他用途，也不用来考核、追究任何填答人。",
    "en": "To learn how the public rates the work of government units; the ratings enter their scores as the scheme "
    "says. They serve nothing else, and nobody is judged by what he or she answered.",
    "ug": "ئاممىنىڭ ھۆكۈمەت تارماقلىرىنىڭ خىزمىتىگە بەرگەن باھاسىنى ئىگىلەش، باھالاش لايىھەسى بويىچە شۇ ئورۇنلارنىڭ "
    "نومۇرىغا كىرگۈزۈش. باشقا مەقسەتتە ئىشلىتىلمەيدۇ، جاۋاب بەرگۈچىمۇ سۈرۈشتۈرۈلمەيدۇ.",
}
_KINDS = {
    "zh": "您的回答、您所在的类别（例如“城乡居民”）和提交的日期。不问姓名、身份证号、手机号；回答里不记评议码，"
    "评议码只打上“已用”的记号。没有提交的内容加密保存，凭您的评议码才能打开。",
    "en": "Your answers, the group that you belong to (such as residents) and the day. No name, identity number or "
    "telephone number is asked. Answers do not carry your code; the code is only marked as used. What you have not "
    "handed in is kept encrypted and opens only with your code.",
    "ug": "جاۋابلىرىڭىز، تەۋە بولغان تۈرىڭىز (مەسىلەن «شەھەر-يېزا ئاھالىسى») ۋە تاپشۇرغان كۈن. ئىسىم، كىملىك نومۇرى، "
    "تېلېفون نومۇرى سورالمايدۇ؛ جاۋابتا باھالاش كودى خاتىرىلەنمەيدۇ، كودقا پەقەت «ئىشلىتىلدى» دەپ بەلگە قويۇلىدۇ. "
    "تاپشۇرۇلمىغان مەزمۇن مەخپىيلەشتۈرۈپ ساقلىنىدۇ، ئۇنى پەقەت سىزنىڭ كودىڭىز ئاچالايدۇ.",
}
_SEALED_KINDS = {
    "zh": "提交时，您的回答当场封进一个等长的加密箱，截止后由三位密钥保管人中的两位一起才能打开。",
    "en": "When you hand in, your answers are sealed at once in a box of fixed size. Two of three key custodians open "
    "the boxes together, after the end.",
    "ug": "تاپشۇرغان ھامان جاۋابلىرىڭىز بىر خىل چوڭلۇقتىكى مەخپىي ساندۇققا قاچىلىنىدۇ، مۆھلىتى توشقاندىن كېيىن "
    "ئۈچ ئاچقۇچ ساقلىغۇچىنىڭ ئىككىسى بىرلىكتە ئاچىدۇ.",
}
_RETENTION = {
    "zh": "不记名的回答至少保存两年，供统计检查；没有提交的内容在提交或评议结束时删除；评议码名单在申诉期结束后删除。",
    "en": "Anonymous answers are kept for at least two years for statistical audit. What was not handed in is deleted "
    "when you hand in or when the survey ends; the list of codes after the time for objections.",
    "ug": "نامسىز جاۋابلار ستاتىستىكىلىق تەكشۈرۈش ئۈچۈن ئاز دېگەندە ئىككى يىل ساقلىنىدۇ؛ تاپشۇرۇلمىغان مەزمۇن "
    "تاپشۇرغاندا ياكى باھالاش ئاخىرلاشقاندا ئۆچۈرۈلىدۇ؛ كود تىزىملىكى نارازىلىق مۇددىتى توشقاندا ئۆچۈرۈلىدۇ.",
}
_RIGHTS = {
    "zh": "依照《个人信息保护法》，您可以不参加，可以查阅、更正、删除尚未提交的内容。提交之后，我们认不出哪一份是您的，"
    "因此不能再查阅或改动。您也可以向组织单位或网信部门投诉、举报。",
    "en": "Under the Personal Information Protection Law you may decline to take part, and read, correct and delete "
    "what you have not handed in. Afterwards we cannot tell which answer is yours, so it can no longer be shown or "
    "changed. You may complain to the organiser or to the cyberspace administration.",
    "ug": "«شەخسىي ئۇچۇرلارنى قوغداش قانۇنى» غا ئاساسەن، قاتناشماسلىق، تاپشۇرۇلمىغان مەزمۇننى كۆرۈش، تۈزىتىش، "
    "ئۆچۈرۈش ھوقۇقىڭىز بار. تاپشۇرغاندىن كېيىن قايسى جاۋابنىڭ سىزنىڭ ئىكەنلىكىنى بىلەلمەيمىز، شۇڭا ئۇنى كۆرسىتىش ياكى "
    "ئۆزگەرتىش مۇمكىن ئەمەس. ئۇيۇشتۇرغۇچى ئورۇنغا ياكى تور ئۇچۇر تارمىقىغا ئەرز قىلسىڭىز بولىدۇ.",
}
_CONTACT = {
    "zh": "通知上的联系方式，或拨打政务服务便民热线 12345 转办。",
    "en": "The address on your letter, or the government hotline 12345, which passes it on.",
    "ug": "ئۇقتۇرۇشتىكى ئالاقىلىشىش ئۇسۇلى، ياكى 12345 ھۆكۈمەت قىزىق لىنىيەسى.",
}
HELP_LINE = "12345"


def default_notice(name_zh: str, name_en: str, *, sealed: bool) -> dict[str, dict[str, str]]:
    """Language → part → words for an evaluation of that name; `sealed` as the survey's secrecy is."""
    return {
        language: {
            "sponsor": _SPONSOR[language].format(zh=name_zh, en=name_en),
            "purpose": _PURPOSE[language],
            "kinds": f"{_KINDS[language]} {_SEALED_KINDS[language]}" if sealed else _KINDS[language],
            "retention": _RETENTION[language],
            "rights": _RIGHTS[language],
            "contact": _CONTACT[language],
            "help_line": HELP_LINE,
        }
        for language in ("zh", "en", "ug")
    }
