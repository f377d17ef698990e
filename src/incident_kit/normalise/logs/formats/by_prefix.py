"""The groups of many lines whose prefixes hardly differ but for the time: RE2 is asked for those of one line of each kind.

What RE2 takes long for is to say where groups stand; where the whole prefix ends it says five times as fast. So the
prefix is cut off first. Lines with the same prefix behind the time have the same groups, because an expression without
assertions chooses its way through a prefix by nothing but the prefix and where it ends, and the expressions of times
treat all digits alike.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags, Integers
from incident_kit.normalise.logs.formats.patterns import CLOCK, DATE_TIME, REST, TIME
from incident_kit.normalise.logs.text_bytes import bytes_of, lengths_of

_BEGINNINGS = tuple(
    f"^{bracket}(?P<time>{time})" for bracket in ("", r"\[", r"\[?") for time in (TIME, DATE_TIME, CLOCK)
)
_NAMED = re.compile(r"\(\?P<\w+>")
_ASSERTION = re.compile(r"\\[bBAz]")
#: Different lengths of prefixes at most, and lines for each different prefix at least, for it to be a gain.
_MOST_LENGTHS = 64
_FEWEST_ALIKE = 20


def groups_by_prefix(texts: pa.Array, expression: str, fewest_alike: int = _FEWEST_ALIKE) -> pa.StructArray | None:
    """`pyarrow.compute.extract_regex` of an expression that begins with a time; None where this way is none.

    Args:
        texts: lines.
        expression: first-line regexp.
        fewest_alike: lines for each different prefix, fewer than which it is no gain.
    """
    prefix = expression.removesuffix(REST)
    if prefix == expression or not prefix.startswith(_BEGINNINGS) or _ASSERTION.search(prefix) or texts.null_count:
        return None
    rests = pc.replace_substring_regex(texts, _NAMED.sub("(?:", prefix), "")
    whole, behind = lengths_of(texts), lengths_of(rests)
    fits = behind < whole
    usual = np.flatnonzero(fits & (behind > 0))
    if not len(usual):
        return None
    first = texts[int(usual[0])].as_py().encode()
    time = pc.extract_regex(texts.slice(usual[0], 1), expression).field("time")[0].as_py().encode()
    start = int(first[:1] == b"[")
    stop = start + len(time)
    usual = usual[(whole - behind)[usual] > stop]
    if not len(usual):
        return None
    data = texts.cast(pa.large_binary())
    stamps = pc.binary_slice(_taken(data, usual), 0, stop)
    alike = _of_shape(stamps, first[:stop])
    if not alike.any():
        return None
    if not alike.all():
        usual, stamps = usual[alike], stamps.filter(pa.array(alike))
    kinds = _kinds(_taken(data, usual), stop, (whole - behind)[usual])
    if kinds is None or len(kinds[1]) * fewest_alike > len(usual):
        return None
    codes, models = kinds
    model = pc.extract_regex(texts.take(pa.array(usual[models])), expression)
    made = {field.name: model.field(field.name).take(pa.array(codes)) for field in model.type}
    made["time"] = pc.binary_slice(stamps, start, stop).cast(model.type.field("time").type)
    made["message"] = _taken(rests, usual)
    found = pa.StructArray.from_arrays(list(made.values()), fields=list(model.type))
    if len(usual) == len(texts):
        return found
    fits[usual] = False
    odd = np.flatnonzero(fits)
    order = np.full(len(texts), len(texts))
    order[usual], order[odd] = np.arange(len(usual)), len(usual) + np.arange(len(odd))
    both = pa.concat_arrays([found, pc.extract_regex(texts.take(pa.array(odd)), expression)])
    return both.take(pa.array(order, mask=order == len(texts)))


def _taken(values: pa.Array, rows: Integers) -> pa.Array:
    return values if len(rows) == len(values) else values.take(pa.array(rows))


def _of_shape(stamps: pa.Array, like: bytes) -> Flags:
    """Which byte strings of one length are as this one but for their digits."""
    model = np.frombuffer(like, np.uint8)
    digit = (model >= 0x30) & (model <= 0x39)
    least, span = np.where(digit, 0x30, model).astype(np.uint8), np.where(digit, 9, 0).astype(np.uint8)
    differs = (np.frombuffer(bytes_of(stamps), np.uint8).reshape(-1, len(model)) - least) > span
    return np.asarray(~differs.any(axis=1)) if differs.any() else np.ones(len(stamps), dtype=bool)


def _kinds(data: pa.Array, stop: int, ends: Integers) -> tuple[Integers, Integers] | None:
    """For each line the number of its prefix behind the time, and for each such prefix a line; None when they are too many."""
    lengths = np.unique(ends)
    if len(lengths) > _MOST_LENGTHS:
        return None
    heads = pc.binary_slice(data, stop, int(lengths[-1]))
    codes = np.zeros(len(data), dtype=np.int64)
    models: list[Integers] = []
    count = 0
    for length in lengths.tolist():
        rows = np.flatnonzero(ends == length)
        encoded = pc.binary_slice(_taken(heads, rows), 0, length - stop).dictionary_encode()
        own = np.asarray(encoded.indices)
        model = np.zeros(len(encoded.dictionary), dtype=np.int64)
        model[own] = rows
        models.append(model)
        codes[rows] = own + count
        count += len(model)
    return codes, np.concatenate(models)
