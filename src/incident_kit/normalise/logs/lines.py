"""Console files to stamped lines: the kubelet's CRI format and ``kubectl logs --timestamps``.

Splitting, stamps and streams are done on whole files in Arrow; nothing here looks at a line in Python unless its
stamp is odd.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import put
from incident_kit.line_arrays import line_array, line_offsets
from incident_kit.normalise.logs.text_bytes import as_text, holds

#: CSI sequences, OSC sequences and lone escapes.
ANSI = r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_CRI = rf"(?s)^(?P<time>{_STAMP}) (?P<stream>stdout|stderr) (?P<tag>[PF])(?::\S*)? ?(?P<text>.*)$"
#: As much of a CRI line as tells that it is one.
_CRI_BEGINNING = rf"^{_STAMP} (?:stdout|stderr) [PF]"
#: A part that ends within a character: the runtime cuts at bytes.
_CUT_CHARACTER = re.compile(
    rb"(?m)^\S+ (stdout|stderr) P(?::\S*)? [^\n]*?([\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$"
)
_KUBECTL = rf"(?s)^(?P<time>{_STAMP})(?: (?P<text>.*))?$"
#: Widths of stamps with nine digits behind the point, as the kubelet and its log API write them: in UTC, with an offset.
_WIDTHS = (30, 35)
#: What stands behind the stamp of a CRI line, in the order of `Lines.stream`, and behind it where the line is whole.
_STREAMS, _WHOLE = (b" stdout ", b" stderr "), (b" stdout F ", b" stderr F ")


@dataclass(slots=True)
class Lines:
    """Lines of one file, in file order; arrays of equal length.

    Attributes:
        time: kubelet time in ns.
        stream: 0 not known, 1 stdout, 2 stderr.
        text: the line without stamp, escape sequences and line end.
        unstamped: lines that carried no stamp (a broken answer, or kubectl logs without --timestamps).
        unfinished: lines whose last part is not in the file: the runtime rotated it between two parts.
    """

    time: np.ndarray[Any, np.dtype[np.int64]]
    stream: np.ndarray[Any, np.dtype[np.int8]]
    text: pa.Array
    unstamped: list[str]
    unfinished: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.time)


def some_lines(lines: Lines, keep: np.ndarray[Any, np.dtype[np.bool_]]) -> Lines:
    """Those of the lines for which ``keep`` is true."""
    places = np.cumsum(keep) - 1
    unfinished = tuple(int(places[row]) for row in lines.unfinished if keep[row])
    return Lines(lines.time[keep], lines.stream[keep], lines.text.filter(pa.array(keep)), lines.unstamped, unfinished)


def read_lines(data: bytes) -> Lines:
    """Stamped lines of one console file's bytes, CRI partial lines joined."""
    fixed = _fixed(data)
    if fixed is not None:
        return fixed
    lines = _split(data)
    if len(lines) == 0:
        return _empty([])
    tagged = pc.sum(pc.match_substring_regex(lines, _CRI_BEGINNING)).as_py()
    if tagged > len(lines) / 2:
        return _cri(lines, pc.extract_regex(lines, _CRI))
    return _kubectl(lines)


def _fixed(data: bytes) -> Lines | None:
    """Lines with stamps of one width, and all whole where they are CRI's, taken apart by place; None for others."""
    width = data[: _WIDTHS[-1] + 1].find(b" ")
    if width not in _WIDTHS or b"\r" in data:
        return None
    if not data.endswith(b"\n"):
        data += b"\n"
    offsets = line_offsets(data)
    lines = line_array(data, offsets)
    try:
        time = pc.binary_slice(lines, 0, width).cast(pa.large_string()).cast(pa.timestamp("ns", "UTC"))
        behind = np.frombuffer(data, np.uint8)[offsets[:-1] + width]
        if not np.isin(behind, np.frombuffer(b" \n", np.uint8)).all():
            return None
        tags = pc.binary_slice(lines, width, width + len(_WHOLE[0]))
        whole = np.asarray(pc.fill_null(pc.index_in(tags, pa.array(_WHOLE, tags.type)), -1))
        if (whole >= 0).all():
            stream, begin = whole + 1, width + len(_WHOLE[0])
        elif pc.any(pc.is_in(pc.binary_slice(tags, 0, len(_STREAMS[0])), pa.array(_STREAMS, tags.type))).as_py():
            return None
        else:
            stream, begin = np.zeros(len(lines)), width + 1
        text = pc.binary_slice(lines, begin, -1).cast(pa.large_string())
    except pa.ArrowInvalid:  # a stamp of another kind, or what is no UTF-8
        return None
    # Asked of the bytes that are there: to gather the texts' own would need as much memory again.
    text = _without_escapes(text) if b"\x1b" in data else text
    return Lines(np.asarray(time.cast(pa.int64())), stream.astype(np.int8), text, [])


def _whole_characters(data: bytes) -> bytes:
    """The same lines, each character that was cut between two parts moved to the later one."""
    pieces, done = [], 0
    for cut in _CUT_CHARACTER.finditer(data):
        following = re.compile(rb"(?m)^\S+ " + cut[1] + rb" [PF](?::\S*)? ").search(data, cut.end())
        if following is None or cut.start(2) < done:
            continue
        pieces += [data[done : cut.start(2)], data[cut.end(2) : following.end()], cut[2]]
        done = following.end()
    return b"".join([*pieces, data[done:]])


def _split(data: bytes) -> pa.Array:
    if not data.isascii() and (b" stdout P" in data or b" stderr P" in data):
        data = _whole_characters(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # PowerShell's redirection writes UTF-16
        data = data.decode("utf-16", errors="replace").encode()
    elif not data.isascii():
        data = data.decode("utf-8", errors="replace").encode()
    lines = pc.split_pattern(as_text(data.removeprefix(codecs.BOM_UTF8)), "\n").flatten()
    if len(lines) and lines[-1].as_py() == "":
        lines = lines.slice(0, len(lines) - 1)
    if b"\r" in data:
        lines = pc.replace_substring_regex(lines, r"\r+$", "")
    return lines


def _cri(lines: pa.Array, tagged: pa.Array) -> Lines:
    good = tagged.is_valid()
    unstamped = _texts(lines.filter(pc.invert(good)))
    tagged = tagged.filter(good)
    time, valid = stamps(tagged.field("time"))
    stream = np.where(np.asarray(pc.equal(tagged.field("stream"), "stderr")), 2, 1).astype(np.int8)
    partial = np.asarray(pc.equal(tagged.field("tag"), "P"))
    text = tagged.field("text")
    if not partial.any():
        return _finish(time, stream, text, valid, unstamped)
    time, stream, text, valid, unfinished = _join_partials(time, stream, text, partial, valid)
    lines = _finish(time, stream, text, valid, unstamped)
    return Lines(lines.time, lines.stream, lines.text, unstamped, unfinished if valid.all() else ())


def _join_partials(
    time: np.ndarray, stream: np.ndarray, text: pa.Array, partial: np.ndarray, valid: np.ndarray
) -> tuple[np.ndarray, np.ndarray, pa.Array, np.ndarray, tuple[int, ...]]:
    # Partials of one stream go on until its next full line, also when the other stream writes in between.
    pieces: dict[int, list[str]] = {}
    unfinished: list[int] = []
    drop = np.zeros(len(time), dtype=bool)
    for code in (1, 2):
        own = np.flatnonzero(stream == code)
        if not len(own) or not partial[own].any():
            continue
        flags = partial[own]
        after = np.concatenate([[False], flags[:-1]])
        starts = np.flatnonzero(flags & ~after)
        for start in starts:
            stop = int(start)
            while stop < len(own) and flags[stop]:
                stop += 1
            stop = min(stop, len(own) - 1)
            members = own[start : stop + 1]
            if flags[stop]:
                unfinished.append(int(members[0]))
            pieces[int(members[0])] = [text[int(i)].as_py() for i in members]
            drop[members[1:]] = True
    positions = np.array(sorted(pieces), dtype=np.int64)
    joined = pa.array(["".join(pieces[int(i)]) for i in positions], pa.large_string())
    text = put(text, positions, joined)
    keep = ~drop
    left = tuple(int(keep[:row].sum()) for row in unfinished)
    return time[keep], stream[keep], text.filter(pa.array(keep)), valid[keep], left


def _kubectl(lines: pa.Array) -> Lines:
    split = pc.extract_regex(lines, _KUBECTL)
    good = split.is_valid()
    unstamped = _texts(lines.filter(pc.invert(good)))
    split = split.filter(good)
    time, valid = stamps(split.field("time"))
    return _finish(time, np.zeros(len(time), np.int8), split.field("text"), valid, unstamped)


def stamps(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """RFC 3339 stamps as int64 ns, and which of them are times."""
    found = _cast(texts)
    if found is None:
        texts = pc.replace_substring_regex(pc.replace_substring(texts, ",", "."), r"([+-]\d\d)(\d\d)$", r"\1:\2")
        found = _cast(texts)
    if found is not None:
        return found, np.ones(len(found), dtype=bool)
    from incident_kit.window import parse_rfc3339

    values = [parse_rfc3339(text) if text else None for text in texts.to_pylist()]
    valid = np.array([value is not None for value in values], dtype=bool)
    return np.array([value or 0 for value in values], dtype=np.int64), valid


def _cast(texts: pa.Array) -> np.ndarray | None:
    try:
        return np.asarray(texts.cast(pa.timestamp("ns", "UTC")).cast(pa.int64()))
    except pa.ArrowInvalid:  # one of them is no time, or is spelt otherwise
        return None


def _finish(time: np.ndarray, stream: np.ndarray, text: pa.Array, valid: np.ndarray, unstamped: list[str]) -> Lines:
    if not valid.all():
        time, stream, text = time[valid], stream[valid], text.filter(pa.array(valid))
    text = pc.fill_null(text, "")
    return Lines(time, stream, _without_escapes(text) if holds(text, b"\x1b") else text, unstamped)


def _without_escapes(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, ANSI, "")


def _texts(lines: pa.Array) -> list[str]:
    return [str(text) for text in lines.to_pylist()]


def _empty(unstamped: list[str]) -> Lines:
    return Lines(np.zeros(0, np.int64), np.zeros(0, np.int8), pa.array([], pa.large_string()), unstamped)
