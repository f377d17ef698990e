"""java.util.logging writes an entry as two lines; a rotation may cut a line in two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from incident_kit.normalise.logs.console import ConsoleFile, InstanceLines, _merge
from incident_kit.normalise.logs.formats.layout import Alternative, Layout
from incident_kit.normalise.logs.formats.patterns import PATTERNS
from incident_kit.normalise.logs.lines import read_lines
from incident_kit.normalise.logs.two_lines import join_two_lines

OTP = next(pattern.expression for pattern in PATTERNS if pattern.name == "otp")


def instance(*lines: tuple[str, str]) -> InstanceLines:
    parsed = read_lines("".join(f"2026-11-20T08:00:{at}Z stdout F {text}\n" for at, text in lines).encode())
    return InstanceLines(0, parsed, np.zeros(len(parsed), np.int64))


def test_method_and_message_are_one_line() -> None:
    joined = join_two_lines(
        instance(
            ("00.000000001", "Nov 20, 2026 8:00:00 AM shop.Orders place"),
            ("00.000004001", "WARNING: stock is low"),
            ("00.000008001", "java.io.IOException: gone"),
            ("01.000000001", "Nov 20, 2026 8:00:01\u202fAM shop.Orders <init>"),
            ("01.000004001", "INFORMATION: bereit"),
        )
    )
    assert joined.lines.text.to_pylist() == [
        "Nov 20, 2026 8:00:00 AM shop.Orders place\nWARNING: stock is low",
        "java.io.IOException: gone",
        "Nov 20, 2026 8:00:01\u202fAM shop.Orders <init>\nINFORMATION: bereit",
    ]


def test_other_languages_write_the_same_two_lines() -> None:
    texts = (
        "nov. 20, 2026 8:00:00 AM shop.Orders place\nGRAVE: refusé",
        "十一月 20, 2026 8:00:01 上午 shop.Orders place\n信息: 订单",
    )
    lines = [(f"0{n}.00000000{m}", line) for n, text in enumerate(texts) for m, line in enumerate(text.split("\n"))]
    assert join_two_lines(instance(*lines)).lines.text.to_pylist() == list(texts)


def test_lines_that_only_follow_each_other_stay_two() -> None:
    apart = instance(("00.0", "Nov 20, 2026 8:00:00 AM shop.Orders place"), ("02.0", "WARNING: stock is low"))
    assert len(join_two_lines(apart).lines) == 2


def test_a_line_that_rotation_cut_is_whole_in_the_file_where_it_begins() -> None:
    first = read_lines(b"2026-11-20T08:00:00.000000001Z stdout F one\n2026-11-20T08:00:00.000000002Z stdout P begin\n")
    last = read_lines(b"2026-11-20T08:00:00.000000004Z stderr F other\n2026-11-20T08:00:00.000000005Z stdout F  end\n")
    files = [(ConsoleFile(Path(str(n)), 0, str(n)), lines) for n, lines in enumerate((first, last))]
    merged = _merge(0, files)
    assert merged.lines.text.to_pylist() == ["one", "begin end", "other"]
    assert merged.parts.tolist() == [0, 0, 1]


def test_otps_report_and_its_message_are_one_line() -> None:
    texts = (
        "=INFO REPORT==== 20-Nov-2026::08:00:00.123456 ===\norder placed",
        "=ERROR REPORT==== 20-Nov-2026::08:00:01.5 ===",
    )
    written = instance(
        ("00.000000001", texts[0].split("\n")[0]),
        ("00.000004001", "order placed"),
        ("01.000000001", texts[1]),
        ("01.000004001", "    indented: as a crash report is"),
    )
    assert join_two_lines(written).lines.text.to_pylist() == [*texts, "    indented: as a crash report is"]
    parsed = Layout(alternatives=[Alternative("otp", OTP)]).parse(pa.array(texts[:1], pa.large_string()))
    assert (parsed.message[0].as_py(), parsed.level[0].as_py()) == ("order placed", "info")
