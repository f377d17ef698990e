"""Patterns of documented console layouts: first-line regexps with the groups time, level, logger, message.

All are written for RE2, so that a whole container's lines are tried at once. The order breaks ties only: which
pattern a container uses is decided by scoring them on a sample (`formats.detect`).
"""

from __future__ import annotations

from dataclasses import dataclass

from incident_kit.normalise.logs.levels import WORDS

_ZONE = r"(?: ?(?:Z|UTC|GMT|CEST|CET|[+-]\d\d:?\d\d))?"
DATE_TIME = rf"\d{{4}}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d:\d\d(?:[.,:]\d{{1,9}})?{_ZONE}"
CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
#: java.util.logging's and JavaScript's, by the twelve-hour clock.
TWELVE_HOURS = r"(?:[A-Z][a-z]{2,3}\.? \d{1,2}, \d{4},?|\d{1,2}[-/ ][A-Z][a-z]{2}[-/ ]\d{4},?|\d{1,2}/\d{1,2}/\d{4},?) \d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?[ \x{202f}]?[AaPp]\.?[Mm]\.?"
NAMED_DATE = rf"(?:\d{{1,2}}[-/ ][A-Z][a-z]{{2}}[-/ ]\d{{4}}|[A-Z][a-z]{{2}} +\d{{1,2}}|\d{{1,2}}\.\d\d\.\d{{4}}|\d{{1,2}}/\d\d/\d{{4}}),? {CLOCK}(?: ?[AP]M)?{_ZONE}"
#: The first in any language: ``nov. 20, 2026 8:07:18 AM``, ``十一月 20, 2026 8:07:18 上午``.
TRANSLATED_TIME = r"\p{L}+\.? \d{1,2}, \d{4},? \d{1,2}:\d\d:\d\d[ \x{202f}]\S+"
TIME = rf"(?:{DATE_TIME}|{TWELVE_HOURS}|{NAMED_DATE}|{CLOCK})"
#: Any of these in a smaller program, for patterns with much else in them: RE2 is slow beyond a size.
_CLOCKED = (
    r"(?:[A-Z][a-z]+\.? +\d+,? |\d+ [A-Z][a-z]+ )?(?:\d[\w/.\-]*,?[T ])?\d+:\d\d:\d\d[\d.,]*"
    r"(?:[ \x{202f}]?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
)
#: What may stand between the time and the level: bracketed words, pairs, a process's name.
_BETWEEN = r"(?:(?:\[[^\]]*\]|<[^<>]*>|\([^()]*\)|\{[^{}]*\}|[\w.\-]+=\S+|\d+)[ \t|:,;-]+)*?"
LEVEL = rf"(?i:{'|'.join(WORDS)})"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One layout.

    Attributes:
        name: name of the layout.
        expression: regexp for the first line; the group ``message`` is the rest of it.
        needs: what stands in every line that it fits; a sample without it need not be asked.
    """

    name: str
    expression: str
    needs: str = ""


#: Between level and message; dashes belong to the layout only where a blank follows them.
_GAP = r"(?:[ \t|:,;]+(?:-+[ \t|:,;]+)?|-+[ |:,;]*)"
#: The message is the rest of the line.
REST = r"(?P<message>(?s:.*))$"

PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "klog",
        rf"^(?P<level>[IWEFD])(?P<time>\d{{4}} {CLOCK}) +\d+ (?P<logger>[^ :\]]+:\d+)\] {REST}",
        needs="] ",
    ),
    Pattern(
        "logfmt",
        rf"^(?:time|ts|t|timestamp|@timestamp)=\"?(?P<time>[^\" ]+(?: [\d:.,]+(?: ?[+-]\d\d:?\d\d)?)?)\"? (?:level|lvl|severity)=\"?(?P<level>\w+)\"? {REST}",
        needs="=",
    ),
    Pattern(
        "spring",
        rf"^(?P<time>{DATE_TIME}) +(?P<level>{LEVEL}) +\d+ --- (?:\[[^\]]*\] ?)*\[ *[^\]]*\] (?P<logger>\S+) *: {REST}",
        needs=" --- ",
    ),
    Pattern("nlog", rf"^(?P<time>{TIME}) ?\| ?(?P<level>{LEVEL}) *\| ?(?P<logger>[^|]*?) ?\| ?{REST}", needs="|"),
    Pattern("loguru", rf"^(?P<time>{TIME}) \| (?P<level>{LEVEL}) *\| (?P<logger>\S+:\S+:\d+) - {REST}", needs=" | "),
    Pattern(
        "logback",
        rf"^(?P<time>{TIME}) +\[[^\]]*\] +(?P<level>{LEVEL}) +(?P<logger>[\w.$/-]+)(?:\[\d+\]|:\d+)? +- {REST}",
        needs=" - ",
    ),
    Pattern(
        "logback_level_first",
        rf"^(?P<time>{TIME}) +\[?(?P<level>{LEVEL})\]? +\[[^\]]*\] +(?:\[?(?P<logger>[\w.$/-]+)\]?(?:\[\d+\]|:\d+)? *[-:] )?{REST}",
    ),
    Pattern(
        "log4j",
        rf"^(?P<time>{TIME}) +(?P<level>{LEVEL}) +(?P<logger>[\w.$]+)(?::\d+|\([^)]*\))? +- {REST}",
        needs=" - ",
    ),
    Pattern(
        "zap_console",
        rf"^(?P<time>{DATE_TIME})\t(?P<level>{LEVEL})\t(?:(?P<logger>[\w.\-/]+)\t)?(?:[\w.\-/@]+:\d+\t)?{REST}",
        needs="\t",
    ),
    Pattern("structlog", rf"^(?P<time>{TIME}) \[(?P<level>{LEVEL}) *\] {REST}", needs="] "),
    Pattern(
        "zerolog",
        rf"^(?P<time>{TIME}|\d{{1,2}}:\d\d[AP]M) (?P<level>TRC|DBG|INF|WRN|ERR|FTL|PNC|\?\?\?) (?:[\w.\-/]+:\d+ > )?{REST}",
    ),
    Pattern("python_dash", rf"^(?P<time>{TIME}) - (?P<logger>[\w.\-/]+) - (?P<level>{LEVEL}) - {REST}", needs=" - "),
    Pattern("python_logging", rf"^(?P<time>{TIME}) +(?P<level>{LEVEL}) +(?P<logger>[\w.\-/]+): {REST}", needs=": "),
    Pattern("serilog", rf"^\[(?P<time>{TIME}) (?P<level>{LEVEL})\] ?{REST}"),
    Pattern(
        "serilog_dated", rf"^(?P<time>{TIME}) \[(?P<level>{LEVEL})\] (?:\((?P<logger>[^)]*)\) )?{REST}", needs="] "
    ),
    Pattern("pino_pretty", rf"^\[(?P<time>{TIME})\] (?P<level>{LEVEL})(?: \((?P<logger>[^)]*)\))?: {REST}", needs="] "),
    Pattern(
        "bracketed",
        rf"^\[(?P<time>{TIME})\] ?\[?(?P<level>{LEVEL})\]? ?(?:\[(?P<logger>[^\]]*)\])?(?: ?[-:] +| +|){REST}",
    ),
    Pattern("winston", rf"^(?P<time>{TIME}) \[?(?P<level>{LEVEL})\]?: {REST}", needs=": "),
    Pattern("time_level", rf"^\[?(?P<time>{TIME})\]?[ |:-]+[\[(<]?(?P<level>{LEVEL})[\])>]?{_GAP}{REST}"),
    Pattern(
        "columns",
        rf"^(?P<time>{_CLOCKED})[ \t|]+(?:[^\t|]*[\t|] *)*?(?P<level>{LEVEL}) *[\t|] *{REST}",
    ),
    Pattern(
        "letter",
        rf"^[\[<(]?(?P<time>{_CLOCKED})[\]>)]?[ \t|]+{_BETWEEN}[\[<(]?(?P<level>[TDIWEF])(?:[!\]>)|:]|\t){_GAP}{REST}",
    ),
    Pattern(
        "letter_first",
        rf"^[\[<(]?(?P<level>[TDIWEF])[\]>)]?[ \t|:,/-]+[\[<(]?(?P<time>{_CLOCKED})[\]>)]?{_GAP}{REST}",
    ),
    Pattern(
        "glog",
        rf"^(?P<level>[IWEFD])(?P<time>(?:\d{{4}}|\d{{6}}|\d{{8}}) {CLOCK}) +\d+ (?P<logger>[^ :\]]+:\d+)\]? +(?:\[[^\]]*\] +)?(?:\d+ +)?{REST}",
    ),
    Pattern("boxed", rf"^[\[┌╭] (?P<level>{LEVEL}): {REST}", needs=": "),
    Pattern("xml", rf"^<(?:log4j:)?[Ee]vent [^>]*\blevel=\"(?P<level>\w+)\"[^>]*>{REST}", needs="level="),
    Pattern("otp", rf"^=(?P<level>{LEVEL}) REPORT==== (?P<time>\S+(?: UTC)?) ===\n?{REST}", needs=" REPORT==== "),
    Pattern(
        "jul",
        rf"^(?P<time>{TIME}|{TRANSLATED_TIME}) (?P<logger>[\w.$\-]+)(?: [\w.$<>]+)?\n(?P<level>\p{{L}}+): {REST}",
        needs="\n",
    ),
    Pattern(
        "level_behind",
        rf"^[\[<(]?(?P<time>{_CLOCKED})[\]>)]?[ \t|:,;-]+{_BETWEEN}[\[<(]?(?:[a-z]\w*\.|[\w.#$ \-]+/)?(?P<level>{LEVEL})(?:/[\w\-]+)?[\]>)]?{_GAP}{REST}",
    ),
    Pattern("python_basic", rf"^(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<logger>[\w.\-/]+):{REST}"),
    Pattern("level_first", rf"^[\[(<]?(?P<level>{LEVEL})[\])>]?{_GAP}(?:\[?(?P<time>{TIME})\]?{_GAP})?{REST}"),
    Pattern("level_time_paren", rf"^(?P<level>{LEVEL}) ?[\[(](?P<time>{TIME})[\])][ :|-]+{REST}"),
    Pattern("time_only", rf"^\[?(?P<time>{DATE_TIME}|{TWELVE_HOURS}|{NAMED_DATE}|{CLOCK})\]?{_GAP}{REST}"),
)
#: .NET's simple console: the message stands on the next, indented line.
SIMPLE_CONSOLE = rf"^(?:(?P<time>{TIME})\s?)?(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>\S.*?)\[-?\d+\]$"
#: A line that begins like an entry of some logger: a time or a level, perhaps in brackets.
ANY_PREFIX = rf"^[\[(<{{]?(?:{DATE_TIME}|{TWELVE_HOURS}|{NAMED_DATE}|{CLOCK}\b|[IWEFD]\d{{4}} \d\d:)|^(?:[\[(<]{LEVEL}[\])>]|(?:time|ts|level|lvl)=)"
