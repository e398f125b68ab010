"""What the words of a document say about stage, reach and kind of report, in English and Chinese. Pure; no document is stored."""

from __future__ import annotations

import re


class Words:
    """Alternatives of which one may be found in a text, capitals or not.

    Each alternative is tried only where the letters that it cannot do without are there: a substring test costs a hundredth of a search.
    """

    def __init__(self, *patterns: str) -> None:
        self._alternatives = tuple((needed_letters(pattern), re.compile(pattern, re.IGNORECASE)) for pattern in patterns)

    def search(self, text: str, low: str | None = None) -> bool:
        """Whether one of them is there; `low` is the text in small letters, if the caller has it."""
        low = text.lower() if low is None else low
        return any(needed in low and pattern.search(text) for needed, pattern in self._alternatives)


def needed_letters(pattern: str) -> str:
    """The longest run of letters that every match of `pattern` holds; empty when there is none."""
    text = pattern
    while (shorter := re.sub(r"\(\?[:!<=]+[^()]*\)(?:[?*+]|\{[^}]*\})?", "\n", text)) != text:
        text = shorter
    text = re.sub(r"\[[^\]]*\](?:[?*+]|\{[^}]*\})?|\\[a-zA-Z.](?:[?*+]|\{[^}]*\})?|\.\{[^}]*\}|\.[?*+]", "\n", text)
    text = re.sub(r"[^\n][?*]|[\^$+|().]", "\n", text)
    return max((part.lower() for part in text.split("\n")), key=len)


RETIRED = Words(
    r"\bdeprecat\w*", r"\bretir(?:e[sd]?|ing|ement)\b", r"\bsunset(?:s|ting|ted)?\b", r"\bshut(?:s|ting)?[ -]?down\b", r"\bdiscontinu\w+",
    r"\bend[ -]of[ -](?:life|support|sale)", r"\bno longer (?:be )?(?:available|supported|accessible)", r"\bwill be removed\b", r"\bphas(?:e|ing) out\b",
    r"\bwind(?:s|ing)? down\b", r"\bsuspend(?:s|ed)? access\b", r"\bremov(?:e|es|ed|ing) support\b",
    "下线", "停服", "停止(?:服务|运营|支持|调用|提供)", "弃用", "退役", "关停", "关闭服务", "终止服务", "不再(?:支持|提供)",
)  # fmt: skip
GENERAL = Words(
    r"\bgenerally available\b", r"\bgeneral availability\b", r"\b(?:is|are|now|goes|hits|reaches|to) GA\b", r"\bout of (?:beta|preview)\b",
    r"\b(?:exits|leaves|leaving) (?:beta|preview)\b", r"\bfull(?:y)? (?:launch|release|available)", r"\bavailable (?:to|for) (?:everyone|all)\b",
    "正式版", "全面(?:开放|上线|推送|可用)", "结束(?:内测|公测|预览)", "进入 ?GA", "全量(?:上线|推送|开放)",
)  # fmt: skip
PREVIEW = Words(
    r"\bpreview(?:s|ing|ed)?\b", r"\bbeta\b", r"\balpha\b", r"\bearly access\b", r"\bwait[ -]?list\b", r"\bexperimental\b", r"\btrusted access\b",
    r"\blimited (?:access|release|rollout|availability)\b", r"\bpilot(?:ing)?\b", r"\bwe(?:'|’)re testing\b", r"\binvite[ -]only\b", r"\btesters?\b",
    "内测", "公测", "预览", "测试版", "邀请制", "灰度", "抢先体验", "早期访问", "试用版",
)  # fmt: skip
ANNOUNCED = Words(
    r"\bcoming (?:soon|later|next|this)\b", r"\bwill (?:soon )?(?:launch|release|ship|roll out|be (?:available|released|rolling))\b", r"\bplans? to (?:launch|release|ship|add|bring|offer|open)",
    r"\bin the coming (?:days|weeks|months)\b", r"\bis (?:planning|set) to\b", r"\bto (?:launch|release) (?:in|on|by|next|later)\b", r"\bupcoming\b",
    "即将", "将于", "计划(?:于|在)?", "预计(?:于|在|将)", "将在.{0,12}(?:发布|上线|推出)",
)  # fmt: skip
NOW = Words(
    r"\b(?:now|today|already) (?:available|live|rolling|supports?|out)\b", r"\bavailable (?:now|today|starting today|in|on|via|through|across)\b", r"\b(?:is|are) (?:now|live|here|out)\b",
    r"\bstarting today\b", r"\blaunch(?:ed|es)\b", r"\breleas(?:ed|es)\b", r"\bintroduc(?:ed|es|ing)\b", r"\brolled out\b", r"\brolling out\b", r"\bships?\b", r"\bshipped\b",
    "现已", "已(?:上线|发布|推出|开源|开放|支持)", "今日", "发布了?", "推出了?", "上线了?", "开源了?", "正式(?:发布|上线|推出|开源)",
)  # fmt: skip
RUMOUR = Words(
    r"\brumou?r(?:s|ed)?\b", r"\bleak(?:s|ed)?\b", r"\bspeculat\w+", r"\breported(?:ly)?\b", r"\bspotted\b", r"\bteas(?:es|ed|er|ing)\b", r"\bhints?(?:ed)? (?:at|that)\b",
    r"\banticipat\w+", r"\bexpected to\b", r"\bmight\b", r"\bcould (?:launch|be)\b", r"\bstealth\b", r"\bunconfirmed\b", r"\bsources say\b",
    "传闻", "爆料", "泄露", "疑似", "据称", "曝光", "猜测", "有望", "或将", "据传", "预热",
)  # fmt: skip
STORY = Words(
    r"^how (?:\w+[ '’]*){1,6}(?:uses?|used|is using|are using|built|builds|build|turned|saves?|cut|scales?|help(?:s|ed|ing)?|transforms?|ships?|runs?|is|are)\b", r"\bcase stud", r"\bcustomer stor", r"\bpowered by claude at\b", r"\b(?:lessons|learnings) (?:from|learned)\b",
    r"\bbest practices?\b", r"\b(?:a|the|complete|developer['’]?s?|practical|quick|step-by-step|ultimate) guides?\b", r"\bguide to\b", r"\btutorial\b", r"\bcookbook\b", r"\bhow to\b", r"\btips\b", r"\bexplained\b", r"\bgetting started\b",
    r"\bwebinar\b", r"\bhackathon\b", r"\bpodcast\b", r"\binterview\b", r"^why\b", r"^what (?:is|are|we)\b", r"\bq&a\b", r"^(?:using|building|lessons|inside|understanding|working with)\b", r"^meet the\b", r"\bcase for\b", r"^introduction to\b", r"^choosing\b", r"^steering\b", r"\brules of\b", r"\ba (?:closer )?look at\b", r"\bdeep[ -]dive\b", r"\bexamples?\b", r"\bcookbooks?\b", r"\bconference\b", r"^what(?:'|’)s new\b",
    "教程", "指南", "最佳实践", "案例", "用例", "详解", "访谈", "播客",
)  # fmt: skip
CORPORATE = Words(
    r"\bpartner(?:s|ship|ing)\b", r"\brais(?:es|ed|ing) \$?", r"\bseries [a-h]\b", r"\bvaluation\b", r"\bappoint\w*", r"\bjoins?\b", r"\bnames? .{3,40}(?:officer|director|manager)", r"\bopens? (?:new )?(?:an )?office",
    r"\bsystem card\b", r"\bmodel card\b", r"\bstatement (?:on|from)\b", r"\bresponsible\b", r"\bpolicy\b", r"\bgrants?\b", r"\bprogram(?:me)?\b", r"\bcertification", r"\bhiring\b", r"\bsettle", r"\blawsuit", r"\bmemorandum", r"\bcompute\b",
    r"\binvest(?:s|ing|ment)\b", r"\bgovernment\b", r"\beconomic (?:index|futures)\b",
    "融资", "合作伙伴", "战略合作", "任命", "诉讼", "估值",
)  # fmt: skip
ROUND_UP = Words(
    r"\b(?:this|last) week\b", r"\bweekly\b", r"\bround-?up\b", r"\bmonthly\b", r"\bnewsletter\b", r"\brecap\b", r"\beverything (?:we )?announced\b", r"\ball the news\b", r"\bdigest\b", r"\btop \d+\b", r"\bmorning\b",
    r"[\U0001f300-\U0001faff☀-➿].*[\U0001f300-\U0001faff☀-➿]",
    "周报", "日报", "月报", "盘点", "合集", "汇总", "早报",
)  # fmt: skip
BENCHMARK = Words(
    r"\bbenchmark(?:s|ed|ing)?\b", r"\bleaderboard\b", r"\b(?:tops?|topped|ranks?|ranked|scores?|scored|beats?|outperforms?|surpass\w*)\b", r"\barena\b", r"\beval(?:s|uation)?\b", r"\belo\b", r"\bpaper\b", r"\barxiv\b", r"\bvs\.?\b", r"\bcompar(?:e|ed|ing|ison)\b", r"\btech(?:nical)? reports?\b", r"\bdatasets?\b", r"\banalysis\b",
    "榜单", "排行榜", "评测", "基准", "论文", "对比", "技术报告", "数据集",
)  # fmt: skip
REACTION = Words(
    r"\busers? (?:report|complain|note|find|discuss|praise|are|say|express)", r"\bcommunity\b", r"\bdiscuss(?:ion|ed|es|ing)\b", r"\bpraise[sd]?\b", r"\bcritici[sz]\w+", r"\bcomplain\w*", r"\bopinions?\b", r"\breact(?:ion|s|ed)?\b",
    r"\bissues?\b", r"\bbugs?\b", r"\boutage\b", r"\bdegrad\w+", r"\bregression", r"\bfrustrat\w+", r"\bskeptic\w*", r"\bfaces?\b", r"\bstruggl\w+", r"\blament", r"\bdebate", r"\bsays\b", r"\bthinks?\b", r"\bwonder",
    "用户(?:反馈|抱怨|认为|报告|讨论)", "讨论", "吐槽", "质疑", "争议", "故障", "评价", "宕机",
)  # fmt: skip
PAPERWORK = Words(
    r"\bsystem cards?\b", r"\bmodel cards?\b", r"\bCVE-\d", r"\bsecurity (?:release|fix|advisory|patch)", r"\bvulnerabilit", r"\bmodel signing\b", r"\bcommitments?\b", r"\bunder the hood\b", r"\bobservability\b", r"\bmonitoring\b",
    r"\baudit\b", r"\bcompliance\b", r"\badmin controls\b", r"\bsso\b", r"\blaunch partner\b", r"\btransitioning\b", r"\bterms\b", r"\bjailbreak", r"\bsafeguards?\b", r"\bcorps\b", r"\bevaluations\b", r"\bc\+\+ (?:library|client)\b", r"\bmiddleware\b",
    "系统卡", "漏洞", "合规",
)  # fmt: skip
LAUNCH = Words(
    r"\bintroduc(?:es|ing|ed|tion of)\b", r"\bannounc(?:es|ing|ed)\b", r"\blaunch(?:es|ing|ed)?\b", r"\breleas(?:es|ing|ed|e)\b", r"\b(?:is|are) (?:now )?(?:available|here|live)\b", r"\bnow (?:available|supports?|live|in|generally|lets|creates?|works|powered)\b", r"\brolls? out\b", r"\brolling out\b",
    r"\bunveil(?:s|ed|ing)?\b", r"\bships?\b", r"\bshipped\b", r"\bopen[- ]sourc(?:es|ed|ing)\b", r"\bdebuts?\b", r"\bnew (?:in|connectors?|models?|features?|tools?|api)\b", r"\bbring(?:s|ing)\b", r"\bexpand(?:s|ing)\b", r"\bmeet\b", r"\bcoming to\b", r"\badd(?:s|ed|ing)\b",
    r"\bcan now\b", r"\bgenerally available\b", r"\bpreview\b", r"\bbeta\b", r"\bcustomi[sz]e\b", r"\badvancing claude\b", r"\bsupport(?:s)? for\b", r"\bupgrad(?:e|es|ed|ing)\b",
    "发布", "推出", "上线", "开源", "开放", "支持", "更新", "升级", "新增", "登场", "亮相",
)  # fmt: skip

# words that tell nothing about what was launched
FILLERS = frozenset(
    "a an of to in on is the and for with now available new introducing announcing from your you our are can has have its into this that".split()
)
# nor do these tell two launches apart
STOP_WORDS = FILLERS | frozenset(
    "was via all how what get more launch launches launched release releases released preview beta generally support supports adds update updates "
    "using use model models openai anthropic google meta mistral microsoft claude gemini chatgpt".split()
)
