"""Layouts as people configure them, read as patterns; each against a line that its library writes with it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from incident_kit.normalise.logs.formats.layout import Alternative, Layout
from incident_kit.profile.layouts import first_line_expression
from incident_kit.profile.settings import ConsolePattern

SPRING = "%clr(%d{${LOG_DATEFORMAT_PATTERN:-yyyy-MM-dd'T'HH:mm:ss.SSSXXX}}){faint} %clr(${LOG_LEVEL_PATTERN:-%5p}) %clr(${PID:- }){magenta} %clr(---){faint} %clr([%15.15t]){faint} %clr(%-40.40logger{39}){cyan} %clr(:){faint} %m%n${LOG_EXCEPTION_CONVERSION_WORD:-%wEx}"
LINES = {
    "%d{HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n": (
        "10:00:00.123 [main] WARN  shop.Orders - stock is low",
        "shop.Orders",
    ),
    "%d %-5p [%t] (%F:%L) %c{1} - %m [%X{traceId}]%n%ex": (
        "2026-11-20 08:00:00,123 WARN  [http-1] (Orders.java:12) Orders - stock is low [4bf92f]",
        "Orders",
    ),
    "%highlight{%d{ISO8601} %-5level}{FATAL=red} %notEmpty{[%X{user}] }%logger{1.} %msg%n%xEx": (
        "2026-11-20T08:00:00,123 WARN  [anna] s.Orders stock is low",
        "s.Orders",
    ),
    SPRING: (
        "2026-11-20T08:00:00.123Z  WARN 1 --- [           main] shop.Orders                              : stock is low",
        "shop.Orders",
    ),
    "%green(%date{dd MMM yyyy HH:mm:ss,SSS}) %level\\(%X{req:-none}\\) %msg%n": (
        "20 Nov 2026 08:00:00,123 WARN(none) stock is low",
        None,
    ),
    "{Timestamp:HH:mm:ss} [{Level:u3}] {SourceContext} {Message:lj}{NewLine}{Exception}": (
        "10:00:00 [WRN] Shop.Orders stock is low",
        "Shop.Orders",
    ),
    "{{ {Timestamp:o} }} {Level,-11} <{ThreadId}> {Message:lj} {Properties:j}{NewLine}{Exception}": (
        '{ 2026-11-20T08:00:00.1234567+00:00 } Warning     <7> stock is low {"Node": "a"}',
        None,
    ),
    "[{@t:HH:mm:ss} {@l:u3} ({SourceContext})] {@m}\\n{@x}": (
        "[10:00:00 WRN (Shop.Orders)] stock is low",
        "Shop.Orders",
    ),
    "${longdate}|${level:uppercase=true}|${logger}|${message}|${all-event-properties}${onexception:inner=${newline}${exception:format=tostring}}": (
        "2026-11-20 08:00:00.1234|WARN|Shop.Orders|stock is low|Node=a",
        "Shop.Orders",
    ),
    "${date:format=HH\\:mm\\:ss} ${pad:padding=-5:inner=${level}} ${message} ${exception:format=tostring}": (
        "10:00:00 Warn  stock is low",
        None,
    ),
    "%(asctime)s %(levelname)-8s [%(name)s:%(lineno)d] %(message)s": (
        "2026-11-20 08:00:00,123 WARNING  [shop.orders:12] stock is low",
        "shop.orders",
    ),
    "%(levelname).1s 100%% %(message)s (%(threadName)s)": ("W 100% stock is low (MainThread)", None),
    r"(?P<time>\S+ \S+) <(?P<level>\w+)> (?P<message>.*)": ("2026-11-20 08:00:00 <warn> stock is low", None),
}


@pytest.mark.parametrize("pattern", LINES)
def test_a_layout_reads_the_lines_that_are_written_with_it(pattern: str) -> None:
    line, logger = LINES[pattern]
    layout = Layout([Alternative("profile", first_line_expression(pattern))])
    texts = pa.array([line, f"{line}", "something else entirely, without a beginning"], pa.large_string())
    parsed = layout.parse(texts)
    assert parsed.message.to_pylist()[0].removesuffix(' {"Node": "a"}').rstrip() == "stock is low"
    assert parsed.level.tolist()[0] == "warn"
    assert parsed.logger.tolist()[0] == logger
    assert parsed.format.tolist() == ["profile", "profile", None]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("%d %-5p %zzz %m%n", "conversion '%zzz %m%n' is not known"),
        ("%d %-5p%n", "no message"),
        ("%d %p%n%m", "first line"),
        ("%clr(%d %m%n", "never closed"),
        ("{#if @l is not null}{@l}{#end} {@m}", "expressions"),
        ("(?P<time>\\S+) (?=x)", "look-around"),
        ("(?P<time>\\S+ [", "not a regular expression"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        ConsolePattern(pattern=pattern)
