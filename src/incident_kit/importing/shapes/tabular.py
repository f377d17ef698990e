"""Rows of named columns, in whatever form an export has them: CSV, one object a line, arrays, columns beside rows."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from incident_kit.importing.layout import shown_name
from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Source
from incident_kit.nested import listing, mapping
from incident_kit.normalise.raw import lenient_json

Row = dict[str, Any]
_DELIMITERS = ",;\t|"
#: A header cell: the name of a field, perhaps with the zone that Azure's portal adds.
_CELL = re.compile(r"[\w@.$-][\w@.$ /-]*(?: \[[^\]]+\])?")
_ZONE_OF_PORTAL = re.compile(r" \[(?:UTC|[^\]]*)\]$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_ESCAPED = re.compile(r"\\([ntr\\])")
_LONGEST_CELL = 1 << 26


def header_of(sample: Sample) -> tuple[str, list[str]] | None:
    """Delimiter and columns of a CSV text; None where its first line is no header."""
    first = next((line for line in sample.body.split("\n") if line.strip()), "").rstrip("\r")
    for delimiter in _DELIMITERS:
        if delimiter in first:
            cells = [cell.strip() for cell in csv_row(first, delimiter)]
            named = all(_CELL.fullmatch(cell) for cell in cells)
            if named and len(set(cells)) == len(cells) > 1 and not any(cell.isdecimal() for cell in cells):
                return delimiter, cells
    return None


def csv_row(line: str, delimiter: str = ",") -> list[str]:
    """Cells of one line of CSV; none where it is no such line."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # no CSV: a carriage return amid it, a cell of megabytes
        return []


def has_columns(sample: Sample) -> bool:
    """Whether it is JSON that has columns beside rows, as SQL, ES|QL and Log Analytics answer."""
    return bool(re.search(r'"(?:columns|schema)"\s*:\s*\[\s*\{\s*"name"', sample.text))


def columns_of(sample: Sample) -> frozenset[str]:
    """Names of the columns of an export's rows; none where it is no table."""
    if has_columns(sample):
        return frozenset(re.findall(r'\{\s*"name"\s*:\s*"([^"]+)"', sample.text))
    if sample.objects:
        return frozenset(key for document in sample.objects[:20] for key in document)
    if sample.is_json:
        if sample.body[:1] == "[":
            return frozenset(re.findall(r'"([^"\\]{1,80})"\s*:', sample.text[:20_000]))
        return frozenset()
    header = header_of(sample)
    return frozenset(_ZONE_OF_PORTAL.sub("", cell) for cell in header[1]) if header else frozenset()


def rows_of(source: Source, system: str) -> Iterator[Row]:
    """The rows, each with the columns that have a value; CSV and objects line by line stream.

    Gaps of the system name what could not be read.
    """
    sample = source.sample
    if sample.objects and not has_columns(sample):
        return _of_lines(source, system)
    if sample.is_json:
        return _of_document(source, system)
    header = header_of(sample)
    return _of_csv(source, system, *header) if header else iter(())


def _of_lines(source: Source, system: str) -> Iterator[Row]:
    broken = 0
    for block in source.blocks:
        for line in block.split(b"\n"):
            if line.strip():
                try:
                    document = lenient_json(line)
                except ValueError:
                    document = None
                if isinstance(document, dict):
                    yield document
                else:
                    broken += 1
    if broken:
        report_lost(source, system, f"{broken} lines are broken JSON; they are left out")


def _of_document(source: Source, system: str) -> Iterator[Row]:
    data = source.data()
    try:
        document = lenient_json(data)
    except ValueError as error:
        report_lost(source, system, f"broken JSON: {error}; nothing of it is used")
        return
    yield from _of_tables(document)


def _of_tables(document: Any) -> Iterator[Row]:
    if isinstance(document, list):
        yield from (row for row in document if isinstance(row, dict))
        return
    for table in listing(document, "tables") or [mapping(document)]:
        columns = [str(column.get("name")) for column in listing(table, "columns") or listing(table, "schema")]
        found: list[Any] = next(
            (table[key] for key in ("rows", "values", "datarows") if isinstance(table.get(key), list)), []
        )
        values = [value for value in found if isinstance(value, list)]
        if len(values) == len(columns) and {len(value) for value in values} != {len(columns)}:
            values = [list(row) for row in zip(*values, strict=False)]  # ES|QL's columnar form
        for row in values:
            yield {name: value for name, value in zip(columns, row, strict=False) if value is not None}


def _of_csv(source: Source, system: str, delimiter: str, columns: list[str]) -> Iterator[Row]:
    names = [_ZONE_OF_PORTAL.sub("", cell) for cell in columns]
    odd = 0
    try:
        for cells in _csv_cells(_after_header(source), delimiter):
            odd += len(cells) > len(names)
            yield {
                name: cell for name, cell in zip(names, cells, strict=False) if cell not in ("", "-", "(null)", "null")
            }
    except csv.Error as error:
        report_lost(source, system, f"broken CSV: {error}; what follows is left out")
    if odd:
        report_lost(source, system, f"{odd} rows have more cells than the header; what is beyond it is left out")


def _csv_cells(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """Cells of each row; Elasticsearch's TSV quotes nothing and escapes, and its drawn tables pad."""
    if delimiter == "\t":
        for line in lines:
            cells = line.rstrip("\r\n").split("\t")
            quoted = [_unquoted(cell) for cell in cells]
            yield [_ESCAPED.sub(lambda found: _ESCAPES[found[1]], cell) for cell in quoted]
        return
    csv.field_size_limit(_LONGEST_CELL)
    for cells in csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "|" else csv.QUOTE_MINIMAL
    ):
        if delimiter != "|":
            yield cells
        elif not all(set(cell) <= set("-+ ") for cell in cells):
            yield [cell.strip() for cell in cells]


def _unquoted(cell: str) -> str:
    """A cell without the quotes that some writers put around it."""
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _after_header(source: Source) -> Iterator[str]:
    text = (line for block in source.blocks for line in block.decode("utf-8", "replace").splitlines(keepends=True))
    first = next(line for line in source.sample.body.split("\n") if line.strip())
    lines = itertools.dropwhile(lambda line: line.rstrip("\r\n") != first.rstrip("\r"), text)
    return itertools.islice(lines, 1, None)


def report_lost(source: Source, system: str, reason: str) -> None:
    """The gap of rows that could not be read, of the system that they are from."""
    source.context.gap(system, shown_name(source.relative, system), reason, "Export it again.")


def first_of(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The value of the first of these columns that has one."""
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def as_line(value: Any) -> str:
    """A cell as the text of one line: an object, which a query parsed, as the JSON that it was."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text.rstrip("\r\n").replace("\n", " ")
