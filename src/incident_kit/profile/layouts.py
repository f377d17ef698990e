"""Layouts as logging libraries are configured with, read as first-line regular expressions.

logback and log4j (``%d{HH:mm:ss} %-5p [%t] %c - %m%n``), Serilog (``{Timestamp:HH:mm:ss} [{Level:u3}] {Message:lj}``), NLog
(``${longdate}|${level}|${message}``) and Python's logging (``%(asctime)s %(levelname)s %(message)s``). A regular expression
with named groups stays what it is. What cannot be read is refused with its place, never guessed.
"""

from __future__ import annotations

import re

_MESSAGE, _END, _EXCEPTION, _OPEN = "\0message\0", "\0end\0", "\0exception\0", "\3"
_ANY = r".*?"
_DIGITS = r"(?P<time>\d[\d:.,/TZ+ \-]*?)"
_WORDS = r"(?P<time>(?:[^\W\d]{2,9}[., ]+)?\d[\w:.,/+ \-]*?)"
_LEVEL = r"(?P<level>[^\s\[\]()|<>]+?)"
_LOGGER = r"(?P<logger>.*?)"
_PARTS = {"time": _WORDS, "level": _LEVEL, "logger": _LOGGER, "message": _MESSAGE, "exception": _EXCEPTION, "end": _END}
_NO_RE2 = re.compile(r"\(\?<?[=!]|\\[1-9]|\(\?P=")


def _words(**roles: str) -> dict[str, str]:
    return {word: role for role, words in roles.items() for word in words.split()}


_CONVERSIONS = _words(
    time="d date",
    level="p le level",
    logger="c lo logger C class",
    message="m msg message",
    exception="ex exception throwable xEx xException xThrowable rEx rException wEx wex nopex nopexception",
    end="n",
    any="t thread tid threadId tn tp T threadName threadPriority L line M method F file l location X mdc MDC x NDC ndc r relative"
    " pid processId sn sequenceNumber marker markerSimpleName u uuid i property contextName cn caller K map kvp fqcn",
)
_COLOURS = "clr highlight bold black red green yellow blue magenta cyan white gray boldRed boldGreen boldYellow boldBlue boldMagenta boldCyan boldWhite"
_WRAPPERS = {
    *_COLOURS.split(),
    "style",
    "notEmpty",
    "variablesNotEmpty",
    "varsNotEmpty",
    "maxLen",
    "maxLength",
    "enc",
    "encode",
}
_SERILOG = _words(
    time="Timestamp UtcTimestamp @t",
    level="Level @l",
    logger="SourceContext",
    message="Message @m",
    exception="Exception @x",
    end="NewLine",
)
_NLOG = _words(
    time="longdate date shortdate time ticks",
    level="level",
    logger="logger",
    message="message",
    exception="exception onexception",
    end="newline",
)
_PYTHON = _words(
    time="asctime", level="levelname levelno", logger="name", message="message", exception="exc_text exc_info"
)
_CONVERSION = re.compile(r"%(?P<width>-?\d*(?:\.-?\d+)?)(?P<word>[A-Za-z]+)")
_HOLE = re.compile(r"\{(?P<word>@?[A-Za-z_][\w.]*)(?:,(?P<width>-?\d+))?(?::(?P<format>[^{}]*))?\}")
_DEFAULTED = re.compile(r"\$\{[\w.:-]+?:-(?P<default>[^{}]*(?:\{[^{}]*\}[^{}]*)*)\}|\$\{[\w.-]+\}")
_PYTHON_FIELD = re.compile(r"%\((?P<word>\w+)\)(?P<width>-?\d*)(?:\.\d+)?[sdf]")


def first_line_expression(pattern: str) -> str:
    """The regular expression of a stated pattern: with the groups that it tells, ``message`` always among them.

    Raises:
        ValueError: the pattern cannot be read; the text says what and where.
    """
    if "(?P<" in pattern:
        return _stated(pattern)
    if "%(" in pattern and _PYTHON_FIELD.search(pattern):
        return _finished(_python(pattern), pattern)
    if _CONVERSION.search(pattern):
        return _finished(_conversions(_DEFAULTED.sub(_default, pattern)), pattern)
    if "${" in pattern:
        return _finished(_nlog(pattern), pattern)
    if _HOLE.search(pattern):
        return _finished(_serilog(pattern), pattern)
    return _stated(pattern)


def _stated(pattern: str) -> str:
    expression = pattern if pattern.startswith("^") else f"^{pattern}"
    expression = expression if "(?P<message>" in expression else f"{expression}(?P<message>(?s:.*))$"
    if _NO_RE2.search(expression):
        raise ValueError(f"look-around and back references cannot be used in a pattern: {pattern!r}")
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"not a regular expression ({error}): {pattern!r}") from error
    return expression


def _default(variable: re.Match[str]) -> str:
    """What a variable stands for where its default is a part of a layout; any other may hold anything."""
    default = variable["default"] or ""
    return default if "%" in default or "ss" in default else _OPEN


def _time(form: str | None) -> str:
    """A time of a stated form: digits, unless it names months, days or halves of the day."""
    plain = re.sub(r"'[^']*'", "", form or "")
    return _WORDS if re.search(r"M{3}|E|d{3}|a|tt|z{1}(?!z)|[A-Z]{4}", plain) else _DIGITS


def _conversions(pattern: str) -> str:
    """Logback's and log4j's conversion words."""
    parts, at = [], 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern):
            parts.append({"n": _END, "t": r"\t"}.get(pattern[at + 1]) or re.escape(pattern[at + 1]))
            at += 2
        elif pattern.startswith("%%", at):
            parts.append("%")
            at += 2
        elif pattern.startswith("%(", at):
            inner, at = _enclosed(pattern, at + 1)
            parts.append(_conversions(inner))
        elif pattern[at] == "%":
            part, at = _conversion(pattern, at)
            parts.append(part)
        else:
            parts.append(_ANY if pattern[at] == _OPEN else re.escape(pattern[at]))
            at += 1
    return "".join(parts)


def _conversion(pattern: str, at: int) -> tuple[str, int]:
    match = _CONVERSION.match(pattern, at)
    known = _CONVERSIONS.keys() | _WRAPPERS
    word = (
        next((match["word"][:n] for n in range(len(match["word"]), 0, -1) if match["word"][:n] in known), None)
        if match
        else None
    )
    if match is None or word is None:
        raise ValueError(f"conversion {pattern[at : at + 12]!r} is not known, in the layout {pattern!r}")
    at = match.start("word") + len(word)
    if word in _WRAPPERS and pattern[at : at + 1] in ("(", "{"):
        inner, at = _enclosed(pattern, at)
        part = _conversions(inner)
        part = f"(?:{part})?" if "otEmpty" in word else part
    else:
        part = _PARTS.get(_CONVERSIONS.get(word, "any"), _ANY)
    options = []
    while pattern[at : at + 1] == "{":
        option, at = _enclosed(pattern, at)
        options.append(option)
    if _CONVERSIONS.get(word) == "time":
        part = _time(options[0] if options else None)
    return _padded(part, match["width"]), at


def _enclosed(pattern: str, at: int) -> tuple[str, int]:
    """What stands between the bracket at a place and its partner, and the place behind that."""
    opening, closing = pattern[at], {"(": ")", "{": "}"}[pattern[at]]
    depth, place = 0, at
    while place < len(pattern):
        if pattern[place] == "\\":
            place += 1
        elif pattern[place] == opening:
            depth += 1
        elif pattern[place] == closing:
            depth -= 1
            if not depth:
                return pattern[at + 1 : place], place + 1
        place += 1
    raise ValueError(f"{opening!r} at {at} is never closed, in the layout {pattern!r}")


def _padded(part: str, width: str | None) -> str:
    return f" *{part} *" if width and part not in (_END, _EXCEPTION) else part


def _serilog(pattern: str) -> str:
    if "{#" in pattern:
        raise ValueError(f"expressions such as {{#if ...}} cannot be read, in the template {pattern!r}")
    parts, done = [], 0
    plain = pattern.replace("{{", "\1").replace("}}", "\2")
    for hole in _HOLE.finditer(plain):
        parts.append(_literal(plain[done : hole.start()]))
        role = _SERILOG.get(hole["word"], "")
        part = _time(hole["format"]) if role == "time" else _PARTS.get(role, _ANY)
        parts.append(_padded(part, hole["width"]))
        done = hole.end()
    return "".join([*parts, _literal(plain[done:])])


def _literal(text: str) -> str:
    lines = text.replace("\1", "{").replace("\2", "}").replace("\\n", "\n").split("\n")
    return _END.join(re.escape(line) for line in lines)


def _nlog(pattern: str) -> str:
    parts, at = [], 0
    while at < len(pattern):
        if pattern.startswith("${", at):
            inner, at = _enclosed(pattern, at + 1)
            word, _, options = inner.partition(":")
            inside = re.search(r"(?:^|:)inner=(?P<layout>.*)$", options)
            if word in ("pad", "uppercase", "lowercase", "when", "replace", "trim-whitespace") and inside:
                part = _nlog(inside["layout"])
            else:
                role = _NLOG.get(word, "")
                part = _time(options) if role == "time" else _PARTS.get(role, _ANY)
            parts.append(_padded(part, "1" if "pad" in inner else None))
        else:
            parts.append(re.escape(pattern[at]))
            at += 1
    return "".join(parts)


def _python(pattern: str) -> str:
    parts, done = [], 0
    for one in _PYTHON_FIELD.finditer(pattern):
        parts.append(_literal(pattern[done : one.start()].replace("%%", "%")))
        parts.append(_padded(_PARTS.get(_PYTHON.get(one["word"], ""), _ANY), one["width"]))
        done = one.end()
    return "".join([*parts, _literal(pattern[done:].replace("%%", "%"))])


def _finished(expression: str, pattern: str) -> str:
    """The first line's expression: the message to its end, or up to what the layout appends."""
    before, said, behind = expression.partition(_MESSAGE)
    if not said:
        raise ValueError(f"no message in the layout {pattern!r}")
    if _END in before:
        raise ValueError(f"the message must stand on the first line of the layout {pattern!r}")
    behind = behind.partition(_END)[0].partition(_EXCEPTION)[0]
    before = _once(before.replace(_EXCEPTION, ""))
    tail = re.sub(r"^(?:\\?[ \t])+|(?:\\?[ \t])+$", "", behind)
    if not tail or tail == _ANY:
        return f"^{before}(?P<message>(?s:.*))$"
    # Greedy: what is appended is the last of its kind on the line, whatever the message holds.
    return f"^{before}(?P<message>(?s:.*))\\s*{_once(tail, before)}\\s*$"


def _once(expression: str, before: str = "") -> str:
    """Each group once: a second time, such as a short date beside a long one, has no name."""
    for name in ("time", "level", "logger"):
        group = f"(?P<{name}>"
        first = -1 if group in before else expression.find(group)
        head = expression[: first + len(group)] if first >= 0 else ""
        expression = head + expression[len(head) :].replace(group, "(?:")
    return expression
