"""Which lines make one entry: when in doubt, split."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from incident_kit.normalise.logs.formats.detect import detect_layout
from incident_kit.normalise.logs.formats.known import KnownMessages, inner_forms
from incident_kit.normalise.logs.grouping import owners
from incident_kit.normalise.logs.lines import read_lines

PREFIX = "2026-11-20 08:00:00.123 [main] {level} shop.Orders - "


def entries(*blocks: tuple[float, str], stream: str = "stdout", inside: Iterable[str] = ()) -> list[str]:
    """Texts of the entries; each block is written at once, so many seconds after eight."""
    lines = []
    for at, text in blocks:
        for number, line in enumerate(text.split("\n")):
            nanoseconds = round(at * 1e9) + number * 4000
            lines.append(
                f"2026-11-20T08:{nanoseconds // 10**9 // 60:02d}:{nanoseconds // 10**9 % 60:02d}.{nanoseconds % 10**9:09d}Z {stream} F {line}"
            )
    parsed = read_lines(("\n".join(lines) + "\n").encode())
    sample = pa.array([PREFIX.format(level="INFO ") + "x"] * 20, pa.large_string())
    layout = detect_layout(sample, KnownMessages.build([], inside))
    heads = layout.heads(parsed.text)
    owner = owners(parsed, heads, layout.parse(parsed.text).level.to_pylist(), layout.proven(parsed.text, ~heads))
    found: dict[int, list[str]] = {}
    for line, first in zip(parsed.text.to_pylist(), owner.tolist(), strict=True):
        if first >= 0:
            found.setdefault(first, []).append(line)
    return ["\n".join(found[first]) for first in sorted(found)]


INFO, ERROR = PREFIX.format(level="INFO "), PREFIX.format(level="ERROR")
JAVA = "java.lang.IllegalStateException: no\n\tat shop.A.run(A.java:1)\nCaused by: java.io.IOException: gone\n\tat shop.B.run(B.java:2)\n\t... 3 more"
PYTHON = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in run\n    go()\nValueError: no'
CHAINED = f"{PYTHON}\n\nDuring handling of the above exception, another exception occurred:\n\n{PYTHON}"
GO = "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:61 +0x1b4\nexit status 2"
DOTNET = "System.InvalidOperationException: no\n ---> System.Exception: inner\n   at Shop.Run() in /src/Run.cs:line 3\n   --- End of inner exception stack trace ---\n   at Shop.Main()"


def test_an_exception_belongs_to_the_error_before_it() -> None:
    for trace in (JAVA, PYTHON, CHAINED, DOTNET):
        assert entries((0, f"{ERROR}failed\n{trace}"), (1, f"{INFO}next")) == [f"{ERROR}failed\n{trace}", f"{INFO}next"]


def test_a_traceback_long_after_the_last_entry_is_an_entry_of_its_own() -> None:
    assert entries((0, f"{ERROR}failed"), (0.2, PYTHON)) == [f"{ERROR}failed", PYTHON]


def test_a_traceback_behind_what_is_no_error_is_an_entry_of_its_own_unless_written_with_it() -> None:
    """Nobody caught it: the interpreter writes it right after whatever was logged last."""
    assert entries((0, f"{INFO}heartbeat ok"), (0.00063, PYTHON)) == [f"{INFO}heartbeat ok", PYTHON]
    assert entries((0, f"{INFO}tried again\n{PYTHON}")) == [f"{INFO}tried again\n{PYTHON}"]
    assert entries((0, f"{ERROR}failed"), (0.00063, PYTHON)) == [f"{ERROR}failed\n{PYTHON}"]


def test_a_panic_is_one_entry() -> None:
    assert entries((0, f"{INFO}before"), (1, GO)) == [f"{INFO}before", GO]


def test_plain_lines_are_entries_of_their_own() -> None:
    assert entries((0, f"{INFO}before\nplain one\nplain two")) == [f"{INFO}before", "plain one", "plain two"]


def test_pretty_printed_json_is_one_entry() -> None:
    assert entries((0, '{\n  "a": {\n    "b": 1\n  }\n}'), (1, f"{INFO}next")) == [
        '{\n  "a": {\n    "b": 1\n  }\n}',
        f"{INFO}next",
    ]


def test_empty_lines_are_no_entries() -> None:
    assert entries((0, f"{INFO}one"), (1, ""), (2, f"{INFO}two")) == [f"{INFO}one", f"{INFO}two"]


def test_streams_are_grouped_apart() -> None:
    first, second, third, fourth = PYTHON.split("\n")
    data = (
        f"2026-11-20T08:00:00.000000001Z stderr F {first}\n2026-11-20T08:00:00.000001001Z stderr F {second}\n"
        f"2026-11-20T08:00:00.000002001Z stdout F {INFO}between\n2026-11-20T08:00:00.000003001Z stderr F {third}\n2026-11-20T08:00:00.000004001Z stderr F {fourth}\n"
    )
    lines = read_lines(data.encode())
    layout = detect_layout(pa.array([f"{INFO}x"] * 20, pa.large_string()), KnownMessages())
    assert owners(lines, layout.heads(lines.text)).tolist() == [0, 0, 2, 0, 0]


def test_a_trace_that_a_line_of_the_other_stream_cuts_goes_on_where_streams_are_not_known() -> None:
    first, second, third, fourth = PYTHON.split("\n")
    texts = [first, second, f"{INFO}between", third, fourth]
    data = "".join(f"2026-11-20T08:00:00.00000{n}001Z {text}\n" for n, text in enumerate(texts))
    lines = read_lines(data.encode())
    layout = detect_layout(pa.array([f"{INFO}x"] * 20, pa.large_string()), KnownMessages())
    assert owners(lines, layout.heads(lines.text)).tolist() == [0, 0, 2, 0, 0]


RUBY = "boom (Shop::ChargeError)\n/app/lib/gateway.rb:41:in `charge'\n/app/lib/worker.rb:7:in `block in run'"
PHP = '[stacktrace]\n#0 /app/src/Gateway.php(41): Shop\\Gateway->connect()\n#1 {main}\n"}'
ELIXIR = "** (Shop.ChargeError) boom\n    (shop 0.1.0) lib/gateway.ex:41: Shop.Gateway.charge/2\nLast message: :tick\nState: %{}"


def test_traces_whose_frames_are_not_indented_belong_to_the_error_before_them() -> None:
    for trace in (RUBY, PHP, ELIXIR):
        assert entries((0, f"{ERROR}failed\n{trace}"), (1, f"{INFO}next")) == [f"{ERROR}failed\n{trace}", f"{INFO}next"]


def test_what_a_runtime_says_before_and_behind_its_exception_is_one_entry() -> None:
    rust = "thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds\nstack backtrace:\n   0: shop::charge\n             at ./src/gateway.rs:41:9\nnote: run with more"
    node = "/app/src/charge.js:41\n        throw new Error('boom');\n        ^\n\nError: boom\n    at run (/app/src/worker.js:7:5)\n\nNode.js v20.1.0"
    internal = node.replace("/app/src/charge.js:41", "node:internal/process/promises:288")
    for text in (rust, node, internal):
        assert entries((0, f"{INFO}before"), (1, text)) == [f"{INFO}before", text]


def test_traces_in_quick_succession_keep_their_own_frames_where_streams_are_not_known() -> None:
    for trace in (JAVA, PYTHON, CHAINED, DOTNET, RUBY, PHP):
        blocks = [f"{ERROR}first\n{trace}", f"{ERROR}second\n{trace}", f"{INFO}in between", f"{ERROR}third\n{trace}"]
        written = [(0.1 + 0.2 * number, text) for number, text in enumerate(blocks)]
        assert entries(*written) == blocks


def test_lines_that_documents_have_inside_of_a_message_belong_to_it() -> None:
    query = "SELECT *\nFROM items\nWHERE id = {}"
    blocks = [(0.1, f"{INFO}query\n{query.format(7)}"), (1.0, "FROM items"), (2.0, f"{INFO}next")]
    inside = inner_forms(pa.array(query.format(99).split("\n"), pa.large_string()))
    assert entries(*blocks, inside=inside) == [blocks[0][1], "FROM items", f"{INFO}next"]
    assert len(entries(*blocks)) == 6


def test_a_chained_traceback_that_documents_also_hold_stays_whole() -> None:
    inside = inner_forms(pa.array([line for line in CHAINED.split("\n") if line], pa.large_string()))
    assert entries((0.1, f"{ERROR}failed\n{CHAINED}"), inside=inside) == [f"{ERROR}failed\n{CHAINED}"]


def test_boxes_and_closing_tags_belong_to_the_entry_before_them() -> None:
    for text in (
        "┌ Info: ready\n│   n = 3\n└ @ Main x.jl:3",
        '<event level="INFO">\n  <message>ready</message>\n</event>',
    ):
        assert entries((0.1, text), (0.2, text), (1, f"{INFO}next")) == [text, text, f"{INFO}next"]


def test_a_closing_brace_with_a_blank_behind_it_ends_the_trace() -> None:
    laravel = f'{ERROR}no {{"exception":"[object] (RuntimeException(code: 0): no at /a.php:1)\n[stacktrace]\n#0 /a.php(9): run()\n#1 {{main}}\n"}} '
    assert entries((1, laravel), (2, f"{INFO}next")) == [laravel, f"{INFO}next"]
