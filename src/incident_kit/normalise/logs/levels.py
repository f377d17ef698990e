"""Level names of the logging libraries, folded to six."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_NAMES = {
    "trace": "trace trce trc verbose vrb finest finer all t v",
    "debug": "debug dbug dbg deb debu fine config d",
    "info": "information info inf information: notice noti informational log i ok success",
    "warn": "warning warn wrn w",
    "error": "error err eror erro fail failure severe e",
    "fatal": "fatal ftl fata critical crit emergency emerg emer alert aler panic pnc dpanic f c",
}
_MONOLOG = {100: "debug", 200: "info", 250: "info", 300: "warn", 400: "error", 500: "fatal", 550: "fatal", 600: "fatal"}
#: What java.util.logging says in other languages; as prose these are no levels.
_TRANSLATED = {
    "trace": "feiner 较详细 非常详细 最も詳細",
    "debug": "débogage depuración depuração fein konfiguration précis 详细 配置 詳細 構成 普通",
    "info": "informationen infos informazioni información informacion 信息 情報",
    "warn": "warnung avertissement advertencia avvertenza 警告",
    "error": "erreur fehler errore schwerwiegend grave 严重 重大",
}
#: Every spelling in lower case to its folded name.
FOLDED: dict[str, str] = {
    spelling: name
    for names in (_TRANSLATED, _NAMES)
    for name, spellings in names.items()
    for spelling in spellings.split()
}
#: Order of the folded names.
SEVERITY = {name: rank for rank, name in enumerate(_NAMES)}
#: Spellings of two letters or more, for patterns; longest first.
WORDS = sorted(
    (
        word
        for spellings in _NAMES.values()
        for word in spellings.split()
        if len(word) > 2 and word.isalpha() and word not in {"all", "log", "config", "success"}
    ),
    key=len,
    reverse=True,
)


def fold_level(value: Any) -> str | None:
    """The folded name of a level, or None: names of any library, pino's, bunyan's, logback's and syslog's numbers."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _numeric(float(value))
    if not isinstance(value, str):
        return None
    word = value.strip().strip("[]()<>").lower()
    if word.isdecimal():  # a superscript is a digit and no number
        return _numeric(float(word))
    return FOLDED.get(word)


def _numeric(value: float) -> str | None:
    steps: tuple[tuple[int, str], ...] = (
        (10, "trace"),
        (20, "debug"),
        (30, "info"),
        (40, "warn"),
        (50, "error"),
        (60, "fatal"),
    )
    if 1000 <= value <= 60000:  # logback's level_value
        value /= 1000
        steps = ((5, "trace"), (10, "debug"), (20, "info"), (30, "warn"), (40, "error"))
    if 0 <= value <= 7:  # syslog's, as GELF and journald have them
        return ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug")[int(value)]
    if value > 60:
        return _MONOLOG.get(int(value)) if value == int(value) else None
    for limit, name in steps:
        if value <= limit:
            return name
    return "fatal"


#: A field of these alone is no result of something: it tells levels.
_QUIET = frozenset({"trace", "debug", "info"})


def are_levels(values: Iterable[Any]) -> bool:
    """Whether a field tells levels, whatever it is called: spelt names alone, of two levels or more, quiet ones too."""
    words = {value.strip().lower() if isinstance(value, str) else "" for value in values}
    folded = {FOLDED[word] for word in words & _SPELT}
    return words <= _SPELT and len(folded) > 1 and bool(folded & _QUIET)


_SPELT = frozenset(WORDS)
