"""Detectors: what in a text must not leave, and where exactly it begins and ends.

All work on decoded text. They are tried only where `scan.PREFILTER` saw a reason, so they may be exact rather than
fast. Numbers in time and id fields are left alone: one in ten epoch values would pass the check digit of a card.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

from incident_kit.redaction.may_hold import ANYTHING, CARD, IBAN, JWT, KNOWN_TOKEN, MAIL, PAIR, SCHEME, URL
from incident_kit.redaction.pseudonym import PREFIX

Pseudonym = Callable[[str, str], str]

#: Last part of a name whose value is a credential: db_password, X-Api-Key, AccountKey, client_secret ...
SECRET_NAME = (
    r"(?:pass(?:word|wd|phrase)(?:[_-]?hash)?|pwd|secret|(?:api|access|account|private|signing|encryption|shared|secret)[_. -]?key"
    r"|(?:access|refresh|auth|bearer|session|id|csrf|xsrf|api|sas)[_. -]?token|token|authorization|credentials?|cookie"
    r"|(?<![A-Za-z])(?:cvv2?|cvc2?|sig))"
)
_IS_SECRET_NAME = re.compile(rf"{SECRET_NAME}$", re.IGNORECASE)
_HARMLESS_NAME = re.compile(
    r"checksum/|cancellation_?token|page_?token|continue_?token|token_?count|compass", re.IGNORECASE
)
_SCHEME = re.compile(r"^(Bearer|Basic|ApiKey|Token|Digest)\s+(\S.*)$", re.IGNORECASE | re.DOTALL)
_PLACEHOLDER = re.compile(
    r"^(?:\*+|x{3,}|null|none|nil|undefined|true|false|empty|redacted|masked|hidden|\[.*|<.*|\{.*|\$[({].*|%[a-z(].*)$",
    re.IGNORECASE,
)
_CAMEL_END = re.compile(r"[a-z0-9](?:Id|ID|Ids|Ts|Time|Timestamp|Date|At|Seq|Offset|Nanos|Millis|Micros|Version)$")
_SNAKE_END = re.compile(
    r"(?:^|[\W_])(?:id|ids|ts|time|timestamp|date|seq|offset|nanos|millis|micros|epoch|version|generation|at)$"
    r"|timestamp$|^(?:trace|span|request|correlation|order|message|event|document|record|transaction)id$",
    re.IGNORECASE,
)
_NAME_BEFORE = re.compile(r"""([\w.@-]{1,64})\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?$""")

# Every pattern begins with a literal, a small set or alternatives that begin with literals (in both cases, for it is not
# the whole that ignores case), so that Python's engine skips quickly to where it may match; what must stand before is
# looked at afterwards.
_URL = re.compile(r"""://([^\s/:@"'<>]*):([^\s/"'<>]+)@(?=[^\s@])""")
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]{4,}\.?[\w-]*")
_AUTH = re.compile(
    r"(b(?<!\wb)(?i:earer|asic)|B(?<!\wB)(?i:earer|asic)|a(?<!\wa)(?i:pikey)|A(?<!\wA)(?i:pikey))"
    r"(\s+)([\w.~+/=-]{8,})"
)
_KNOWN_TOKEN = re.compile(
    r"(?:A[KS]IA[0-9A-Z]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|sk_live_\w{16,})"
)
_KNOWN_TOKEN_STEMS = (
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "sk_live_",
)
_NAME_STEMS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "authorization",
    "credential",
    "cookie",
    "cvv",
    "cvc",
    "sig",
)
_PAIR = re.compile(
    r"""(?P<name>p[aA][sS][sS](?i:word|wd|phrase)|P[aA][sS][sS](?i:word|wd|phrase)|p[wW][dD]|P[wW][dD]"""
    r"""|s(?i:ecret|ig)|S(?i:ecret|ig)|t(?i:oken)|T(?i:oken)|k(?i:ey)|K(?i:ey)|a(?i:uthorization)|A(?i:uthorization)"""
    r"""|c(?i:redentials?|ookie|vv2?|vc2?)|C(?i:redentials?|ookie|vv2?|vc2?))(?P<sep>\\?["']?\s{0,3}[:=]\s{0,3})"""
    r"""(?:(?P<quote>["'])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\\r\n])*)"""
    r"""|(?P<escaped>\\["'])(?P<inner>(?:\\[^"']|[^\\\r\n])*)"""
    r"""|(?P<scheme>(?i:Bearer|Basic|ApiKey|Token|Digest)\s+)?(?P<bare>[^\s"'\\,;&})\]]+))"""
)
#: Of the text before a name's last part, read backwards.
_NAME_HEAD = re.compile(r"[\w.@/-]{0,64}")
_CARD_NAME = re.compile(r"card|\bpan$|iban|account_?(?:no|num)", re.IGNORECASE)
_JSON_NUMBER_OF = re.compile(r"""([\w.@-]{1,64})(\\?")\s{0,3}:\s{0,3}$""")
_CARD = re.compile(r"[2-6]\d{3}([ -]?)(?:\d{4}\1\d{4}\1\d{1,7}|\d{6}\1\d{5})(?!\w|[.,]\d)")
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_AT = re.compile(r"@|%40")
#: Of the text before the sign, read backwards.
_MAIL_USER = re.compile(r"[\w.%+-]{1,64}")
_MAIL_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.)+[A-Za-z]{2,24}(?![\w@-])")
_SHORTEST_NUMBER = 13
#: Not mail: broker nodes, SSH remotes, cluster-internal names.
_NO_MAIL_USER = frozenset({"rabbit", "git"})
_NO_MAIL_TOP = frozenset({"local", "svc", "internal", "cluster", "localdomain", "lab", "localhost"})


#: Fields repeat from line to line; names are hostile input, so that their number is bounded.
_names = lru_cache(maxsize=16_384)


@_names
def is_secret_name(name: str) -> bool:
    """Whether the value under this name is a credential as a whole."""
    return bool(_IS_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)


@_names
def is_time_or_id_name(name: str) -> bool:
    """Whether digits under this name are a time or an identifier, never a card."""
    return bool(_SNAKE_END.search(name) or _CAMEL_END.search(name))


@_names
def is_card_name(name: str) -> bool:
    """Whether a number under this name may be a card or an account."""
    return bool(_CARD_NAME.search(name))


def secret_value(value: str, pseudonym: Pseudonym) -> str:
    """A credential's pseudonym; an authorisation scheme before it stays readable."""
    if not value or _PLACEHOLDER.match(value):
        return value
    scheme = _SCHEME.match(value)
    if scheme:
        return f"{scheme[1]} {pseudonym('secret', scheme[2])}"
    return pseudonym("secret", value)


def replace_secrets(text: str, pseudonym: Pseudonym, may: int = ANYTHING) -> str:
    """The text with every credential in it replaced.

    Args:
        text: decoded text.
        pseudonym: maker of the replacement, from kind and value.
        may: what the text may hold (`may_hold`), as far as somebody looked.
    """
    if may & URL and "://" in text and "@" in text:
        text = _URL.sub(lambda m: f"://{m[1]}:{pseudonym('secret', unquote(m[2]))}@", text)
    if may & JWT and "eyJ" in text:
        text = _JWT.sub(lambda m: pseudonym("secret", m[0]), text)
    if may & KNOWN_TOKEN and _holds_any(text, _KNOWN_TOKEN_STEMS):
        text = _KNOWN_TOKEN.sub(lambda m: pseudonym("secret", m[0]), text)
    if not may & (SCHEME | PAIR):
        return text
    lower = text.lower()
    if may & SCHEME and ("bearer" in lower or "basic" in lower or "apikey" in lower):
        text = _AUTH.sub(lambda m: _authorisation(m, pseudonym), text)
    if may & PAIR and ("=" in text or ":" in text) and _holds_any(lower, _NAME_STEMS):
        text = _PAIR.sub(lambda m: _pair(m, pseudonym), text)
    return text


def _holds_any(text: str, stems: tuple[str, ...]) -> bool:
    # No generator: this is asked of every text of a suspicious line.
    for stem in stems:  # noqa: SIM110
        if stem in text:
            return True
    return False


def replace_personal(text: str, pseudonym: Pseudonym, name: str = "", may: int = ANYTHING) -> str:
    """The text with card numbers, IBANs and e-mail addresses replaced.

    Args:
        text: decoded text.
        pseudonym: maker of the replacement, from kind and value.
        name: the field that holds the text, where it is one.
        may: what the text may hold (`may_hold`), as far as somebody looked.
    """
    if len(text) >= _SHORTEST_NUMBER:
        if may & CARD and not is_time_or_id_name(name):
            text = _CARD.sub(lambda m: _card(m, pseudonym), text)
        if may & IBAN:
            text = _IBAN.sub(lambda m: _iban(m, pseudonym), text)
    if may & MAIL and ("@" in text or "%40" in text):
        text = _replace_mail(text, pseudonym)
    return text


def passes_luhn(digits: str) -> bool:
    """Whether the check digit of a card number is right."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _authorisation(match: re.Match[str], pseudonym: Pseudonym) -> str:
    token = match[3]
    # "Bearer authentication failed" is prose: a token has a digit, or is long.
    if token.startswith(PREFIX) or (len(token) < 20 and not any(c.isdigit() for c in token)):
        return match[0]
    return f"{match[1]}{match[2]}{pseudonym('secret', token)}"


def _pair(match: re.Match[str], pseudonym: Pseudonym) -> str:
    head = _NAME_HEAD.match(match.string[max(0, match.start() - 64) : match.start()][::-1])
    name, separator = (head[0][::-1] if head else "") + match["name"], match["sep"]
    if not is_secret_name(name):
        return match[0]
    bare = match["bare"]
    value = bare or match["quoted"] or match["inner"] or ""
    if bare and not match["scheme"] and not _bare_value_is_secret(name, separator, bare):
        return match[0]
    replaced = secret_value(value, pseudonym)
    if replaced == value:
        return match[0]
    if bare and '"' in separator:  # a number in JSON: the pseudonym is a string
        quote = '\\"' if "\\" in separator else '"'
        replaced = f"{quote}{replaced}{quote}"
    return match[0][: len(match[0]) - len(value)] + replaced


def _bare_value_is_secret(name: str, separator: str, value: str) -> bool:
    """Tell ``token=abc`` and ``Password: hunter2`` from prose such as ``Unexpected token: end``."""
    if "=" in separator or name.lower().endswith(("password", "passwd", "passphrase", "pwd")):
        return True
    return len(value) >= 16 or any(c.isdigit() for c in value)


def _glued(match: re.Match[str], also: str = "") -> bool:
    """Whether the match is the tail of a longer word."""
    before = match.string[match.start() - 1] if match.start() else " "
    return before.isalnum() or before == "_" or before in also


def _card(match: re.Match[str], pseudonym: Pseudonym) -> str:
    digits = re.sub(r"\D", "", match[0])
    if _glued(match, ".") or not 13 <= len(digits) <= 19 or not passes_luhn(digits):
        return match[0]
    before = match.string[max(0, match.start() - 80) : match.start()]
    if before.rstrip().rstrip("\"'\\").rstrip()[-1:] not in (":", "="):  # no name: to search for one takes long
        return pseudonym("card", digits)
    named = _NAME_BEFORE.search(before)
    if named and is_time_or_id_name(named[1]):
        return match[0]
    number = _JSON_NUMBER_OF.search(before)
    if number:  # not a text but a number: only the field's name can make it a card
        return f"{number[2]}{pseudonym('card', digits)}{number[2]}" if is_card_name(number[1]) else match[0]
    return pseudonym("card", digits)


def _iban(match: re.Match[str], pseudonym: Pseudonym) -> str:
    compact = match[0].replace(" ", "")
    if _glued(match) or not 15 <= len(compact) <= 34:
        return match[0]
    rotated = compact[4:] + compact[:4]
    if int("".join(str(int(c, 36)) for c in rotated)) % 97 != 1:
        return match[0]
    return pseudonym("iban", compact)


def _replace_mail(text: str, pseudonym: Pseudonym) -> str:
    parts: list[str] = []
    copied = 0
    for at in _AT.finditer(text):
        sign = at.start()
        if sign < copied or (domain := _MAIL_DOMAIN.match(text, at.end())) is None:
            continue
        found = _MAIL_USER.match(text[max(copied, sign - 64) : sign][::-1])
        if found is None or (address := _mail(found[0][::-1], domain[0])) is None:
            continue
        parts += (text[copied : sign - found.end()], pseudonym("email", address))
        copied = domain.end()
    return "".join([*parts, text[copied:]]) if parts else text


def _mail(user: str, domain: str) -> str | None:
    """An address as it is replaced, in one spelling; None where it is no mail's."""
    if user.lower() in _NO_MAIL_USER or domain.rpartition(".")[2].lower() in _NO_MAIL_TOP:
        return None
    return f"{unquote(user)}@{domain}".lower()
