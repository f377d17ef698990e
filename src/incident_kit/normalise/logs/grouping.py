"""Lines to entries: which line begins an entry and which continues one.

A line without a known prefix continues the entry before only if it is indented, belongs to a trace grammar, stands
inside open JSON, or was written at once with it and some document has such a line inside; else it is an entry of its own. Streams are grouped apart where they are known; where they are not,
a trace may be cut by a line of the other stream and goes on behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags, Integers
from incident_kit.normalise.logs import grammar as traces
from incident_kit.normalise.logs.lines import Lines

_INDENTED = r"^[ \t]+\S"
_BLANK = r"^\s*$"
#: A text this long is not asked whether it opens JSON that later lines close.
_JSON_LINE_LIMIT = 4_000


@dataclass(slots=True)
class _Open:
    """What is open on a stream: the entry's first line and the grammar that may go on.

    ``named`` says that the first line names an exception, so that frames behind it may be its own.
    """

    entry: int = -1
    grammar: str = ""
    depth: int = 0
    last: int = -1
    frames: bool = False
    named: bool = False
    time: int = 0
    line_before: int = -2


@dataclass(frozen=True, slots=True)
class _Marks:
    """What each line of a container instance is by itself.

    Attributes:
        heads: begins like an entry of the container's format.
        indented: begins with white space that something follows.
        blank: holds nothing but white space.
        proven: some document has it inside of its message.
        levels: folded level of each head; None where none is known.
    """

    heads: Flags
    indented: Flags
    blank: Flags
    proven: Flags
    levels: Sequence[str | None] | None


def owners(
    lines: Lines, heads: Flags, levels: Sequence[str | None] | None = None, proven: Flags | None = None
) -> Integers:
    """For each line the index of its entry's first line; -1 for blank lines outside of entries.

    Args:
        lines: lines of one container instance in time order.
        heads: lines that begin like an entry of the container's format.
        levels: folded level of each head, where known (an exception's first line continues only errors).
        proven: lines that some document has inside of its message: they continue what was written with them.
    """
    owner = np.arange(len(lines), dtype=np.int64)
    if heads.all():
        return owner
    marks = _Marks(
        heads=heads,
        indented=np.asarray(pc.match_substring_regex(lines.text, _INDENTED)),
        blank=np.asarray(pc.match_substring_regex(lines.text, _BLANK)),
        proven=proven if proven is not None else np.zeros(len(lines), np.bool_),
        levels=levels,
    )
    for code in np.unique(lines.stream):
        own = np.flatnonzero(lines.stream == code)
        loose = np.flatnonzero(~heads[own])
        if len(loose):
            _walk(lines, marks, own, loose, owner, streams_known=code != 0)
    return owner


def _walk(lines: Lines, marks: _Marks, own: Integers, loose: Integers, owner: Integers, *, streams_known: bool) -> None:
    """Give each loose line of one stream its owner.

    Args:
        lines: lines of the container instance.
        marks: what each of them is by itself.
        own: which of them are of the stream.
        loose: places among ``own`` of those that begin no entry.
        owner: gains the owners.
        streams_known: False where lines of both streams may stand among each other.
    """
    texts = _texts_around(lines, own, loose)
    times = lines.time[own]
    state = _Open()
    suspended: _Open | None = None
    for position in loose.tolist():
        text: str = texts[position]
        line = int(own[position])
        now = int(times[position])
        line_before = int(own[position - 1]) if position else -2
        head_before = bool(position and marks.heads[line_before])
        if head_before:
            if not streams_known and state.grammar and state.entry >= 0:
                suspended = state
            before = texts[position - 1]
            state = _Open(
                entry=line_before,
                depth=_depth(before),
                last=position - 1,
                time=int(times[position - 1]),
                named=traces.names_exception(before),
            )
        following = texts.get(position + 1)
        if marks.blank[line]:
            owner[line] = _blank_owner(state, text, following, now)
            continue
        indented, gap, joined = bool(marks.indented[line]), now - state.time, False
        if state.entry >= 0 and gap <= traces.SAME_TRACE_NS:
            if (
                suspended is not None
                and not state.grammar
                and now - suspended.time <= traces.SAME_TRACE_NS
                and _resumes(suspended, state, text, following, indented=indented)
            ):
                state, suspended = suspended, None
            state.line_before = line_before
            joined = _continues(
                state,
                text,
                following,
                gap,
                marks.levels,
                indented=indented,
                head_before=head_before,
                proven=bool(marks.proven[line]),
            )
        if joined:
            owner[line] = state.entry
        else:
            state = _Open(entry=line, grammar=traces.opens(text), depth=_depth(text))
        state.last, state.frames, state.time = position, indented, now


def _texts_around(lines: Lines, own: Integers, loose: Integers) -> dict[int, str]:
    """Texts of the loose lines, of the line before and the line after each, by their place among ``own``."""
    needed = np.unique(np.concatenate([loose, loose - 1, loose + 1]).clip(0, len(own) - 1))
    return dict(zip(needed.tolist(), lines.text.take(pa.array(own[needed])).to_pylist(), strict=True))


def _blank_owner(state: _Open, text: str, following: str | None, now: int) -> int:
    if state.entry >= 0 and now - state.time <= traces.SAME_TRACE_NS:
        grammar = traces.inside(text.strip(), following, state.grammar, after_frames=state.frames)
        if grammar is not None and state.grammar:
            state.grammar = grammar
            state.frames = False
            return state.entry
    return -1


def _continues(
    state: _Open,
    text: str,
    following: str | None,
    gap: int,
    levels: Sequence[str | None] | None,
    *,
    indented: bool,
    head_before: bool,
    proven: bool,
) -> bool:
    if state.depth > 0:
        state.depth += _balance(text)
        return True
    if indented:
        return True
    grammar = traces.inside(text, following, state.grammar, after_frames=state.frames)
    if grammar is not None:
        state.grammar = grammar
        return True
    if traces.is_closer(text) and state.frames and gap <= traces.SAME_WRITE_NS:
        return True
    if (
        (head_before or state.entry == state.line_before)
        and gap <= traces.EXCEPTION_NS
        and not text.startswith(("Unhandled", "Exception in thread", "panic:", "fatal error:"))
    ):
        opened = traces.opens(text)
        level = None if levels is None else levels[state.entry]
        told = head_before and level in (None, "error", "fatal", "warn")
        if opened in ("python", "exception", "beam") and (
            told or (traces.begins_frames(following) and gap <= traces.SAME_BREATH_NS)
        ):
            state.grammar = opened
            return True
    if not proven or gap > traces.SAME_WRITE_NS:
        return False
    opened = traces.opens(text)
    if opened and not (opened == "exception" and gap <= traces.EXCEPTION_NS and traces.begins_frames(following)):
        return False
    state.grammar = opened or state.grammar
    return True


def _resumes(suspended: _Open, state: _Open, text: str, following: str | None, *, indented: bool) -> bool:
    """Whether a line goes on with the trace that the line before cut, rather than with that line.

    Frames of Java, .NET and Node follow the exception's name, also when it ends a logged message: behind such a line they
    are its own. Python's never follow without their own first line.
    """
    if indented:
        if suspended.grammar == "exception":
            return traces.is_frame(text) and not state.named
        return suspended.grammar in ("python", "go")
    if traces.begins_unindented(text, following):
        return False
    return traces.inside(text, following, suspended.grammar, after_frames=suspended.frames) is not None


def _depth(text: str | None) -> int:
    if not text or text[-1] not in "{[,(" or len(text) > _JSON_LINE_LIMIT:
        return 0
    return max(0, _balance(text))


def _balance(text: str) -> int:
    """Opened less closed braces and brackets outside of strings."""
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = quoted
        elif character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character in "{[") - (character in "}]")
    return depth
