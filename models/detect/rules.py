"""What the name of a release or the words of a title say about capabilities, where a feed lists bare titles."""

from __future__ import annotations

from functools import lru_cache

from models.detect.releases import Release
from models.detect.wording import Words

_HINTS: tuple[tuple[str, float, str], ...] = (
    ("connectors", 0.6, r"\bconnectors?\b|\bMCP\b|\bconnect(?:s|ed)? (?:to|your|claude|chatgpt)\b|\bintegrations?\b|连接器"),
    ("suite_integration", 0.6, r"\b(?:for|in|and|across) (?:Excel|PowerPoint|Word|Outlook|Slack|Microsoft (?:365|Office|Teams|Word)|Chrome|Gmail|Google (?:Docs|Sheets|Workspace)|Notion|Teams|Office|Xcode)\b|\bproductivity platforms\b"),
    ("memory", 0.7, r"\bmemor(?:y|ies)\b|记忆"),
    ("customization", 0.6, r"\bskills?\b|\bfine-?tun\w+|\bcustomi[sz]\w+|\bcustom (?:assistants?|gpts|instructions|models?)\b|\bgems\b|\bdistill\w*|微调|技能"),
    ("app_platform", 0.55, r"\bplug-?ins?\b|\bapp store\b|\bapps (?:in|inside|sdk)\b|\bmarketplace\b|\bapps? directory\b|插件"),
    ("coding_agent", 0.65, r"\bclaude code\b|\bcodex\b|\bcoding agents?\b|\bcode review\b|\bgemini cli\b|\bcopilot cli\b|\bvibe\b|\bjules\b|\bdevstral\b|\bgrok build\b|\bantigravity\b"),
    ("coding", 0.5, r"\bcodestral\b|\bgrok code\b|\bcode (?:model|completion)|\bcoder\b"),
    ("agents", 0.55, r"\bagents?\b|\bagentic\b|\bcowork\b|\bworkflows?\b|\broutines?\b|\bscheduled tasks\b|智能体"),
    ("computer_use", 0.65, r"\bcomputer use\b|\bbrowser (?:agent|use)\b|\bon your computer\b|\bin chrome\b|\bcomet\b|\boperator\b"),
    ("deep_research", 0.7, r"\bdeep research\b|深度研究"),
    ("web_search", 0.65, r"\bweb search\b|\bsearch api\b|\bgrounding\b|联网搜索"),
    ("retrieval", 0.6, r"\bembeddings?\b|\brerank\w*|\bfile search\b|\bcollections api\b|\bvector\b|\bRAG\b"),
    ("file_input", 0.65, r"\bOCR\b|\bPDFs?\b|\bdocument (?:ai|understanding)\b|\bfiles api\b"),
    ("document_generation", 0.6, r"\bartifacts?\b|\bcanvas\b|\bcreate(?:s)? (?:and edit )?(?:files|charts|interactive)\b|\bcharts?\b|\bslides\b|\bpowerpoint\b|\bclaude design\b|\bdocuments\b"),
    ("code_execution", 0.6, r"\bcode (?:execution|interpreter)\b|\bsandbox\w*\b|代码解释器"),
    ("long_context", 0.75, r"\b1M\b|\bmillion[- ]token\b|\b(?:1|2|10)M (?:token )?context\b|\blong context\b|上下文"),
    ("structured_output", 0.75, r"\bstructured outputs?\b|\bjson mode\b|结构化输出"),
    ("function_calling", 0.65, r"\bfunction calling\b|\btool (?:use|calling|support)\b|函数调用"),
    ("reasoning", 0.6, r"\breasoning\b|\bthinking\b|\bmagistral\b|\bdeep think\b|推理模型"),
    ("translation", 0.7, r"\btranslat\w+|翻译"),
    ("realtime_voice", 0.65, r"\brealtime\b|\bvoice (?:mode|agent)\b|\blive api\b|\bvoice think\b|实时语音"),
    ("speech_generation", 0.7, r"\btext[- ]to[- ]speech\b|\bTTS\b|\bcustom voices?\b|\bvoice library\b|语音合成"),
    ("audio_input", 0.7, r"\bspeech[- ]to[- ]text\b|\bspeech recognition\b|\btranscri\w+|\bASR\b|\bvoxtral\b|\bwhisper\b|\bsam audio\b|语音识别"),
    ("image_generation", 0.7, r"\bimage generation\b|\bgenerate images\b|\bimagen?(?= \d)|\bnano banana\b|\bmuse image\b|\bgrok imagine\b|\bgpt-image\b|\bdall|\bflux\b|图像生成|文生图"),
    ("video_generation", 0.7, r"\bvideo generation\b|\bveo\b|\bsora\b|\bmuse video\b|\bkling\b|\bseedance\b|视频生成"),
    ("music_generation", 0.7, r"\bmusic\b|\blyria\b|\bsuno\b|音乐生成"),
    ("vision_input", 0.6, r"\bvision\b|\bpixtral\b|\bimage understanding\b|图像理解"),
    ("price_cut", 0.65, r"\bprice (?:cut|drop|reduction)s?\b|\blower (?:price|pricing|cost)\w*|\bcheaper\b|\bfree (?:for|to|tier)\b|\bprompt caching\b|\bbatch api\b|降价|免费"),
    ("speed", 0.6, r"\bfast(?:er)? (?:mode|inference)?\b|\bspeed\b|\bflash\b|\blatency\b|\bhaiku\b|提速"),
    ("open_weights", 0.7, r"\bopen[- ]weights?\b|\bopen[- ]sourc\w+|\bweights\b|\bgpt-oss\b|开源"),
    ("on_device", 0.65, r"\bon[- ]device\b|\blocally\b|\bfoundation models framework\b|\bgemma 3n\b|端侧"),
)  # fmt: skip


def _alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern: split at bars that stand in no bracket."""
    parts, depth = [""], 0
    for letter in pattern:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


_COMPILED = tuple((label, share, Words(*_alternatives(pattern))) for label, share, pattern in _HINTS)
# families whose new versions are flagships, and those whose weights are always open
_FLAGSHIP = {
    "gpt",
    "opus",
    "sonnet",
    "fable",
    "mythos",
    "gemini",
    "grok",
    "llama",
    "deepseek",
    "kimi",
    "glm",
    "qwen",
    "muse",
    "command",
    "ernie",
    "doubao",
}
_OPEN = {
    "gpt-oss",
    "llama",
    "gemma",
    "devstral",
    "voxtral",
    "mistral",
    "ministral",
    "magistral",
    "olmo",
    "molmo",
    "phi",
    "nemotron",
    "qwen",
    "deepseek",
    "granite",
}
_SMALL = {
    "mini",
    "nano",
    "flash",
    "lite",
    "haiku",
    "fast",
    "instant",
    "small",
    "air",
    "codex",
    "image",
    "audio",
    "tts",
    "live",
    "realtime",
    "transcribe",
    "search",
    "voice",
    "imagine",
    "code",
    "ocr",
}


@lru_cache(maxsize=1024)
def _title_hints(title: str) -> tuple[tuple[str, float], ...]:
    low = title.lower()
    return tuple((label, share) for label, share, words in _COMPILED if words.search(title, low))


def capability_hints(title: str, named: tuple[Release, ...] = ()) -> dict[str, float]:
    """Labels that the words of a title, or the family of a release named in it, point to, with a share that says how surely."""
    hints = dict(_title_hints(title))
    for release in named[:2]:
        version = [token for token in release.key if token[0].isdigit()]
        if not version:
            continue
        if release.family in _FLAGSHIP and not _SMALL & set(release.key):
            hints.setdefault("frontier_quality", 0.6)
        if release.family in _OPEN:
            hints.setdefault("open_weights", 0.5)
    return hints
