"""One event in two wordings: what each side says around the message, or instead of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_kit.answers.logs import logs
from incident_kit.evidence import read_evidence
from tests.reconcile.incident import POD, Incident, lost


def documents(folder: Path) -> list[str]:
    """The document of each entry that has one."""
    rows = logs(POD, read_evidence(folder / "case.incident"))
    return [str(one) for one in rows[rows["side"] == "console"]["document_id"].dropna()]


KINDS = ("Order {Id} settled for {Amount}", "Stock of {Sku} is {Count}", "Customer {Name} came back", "Idle")
SKUS = ("BK-1", "ZX/9", "O'Neil 7", "São Paulo")


def events() -> list[tuple[float, str, dict[str, Any]]]:
    """Time, template and values of 80 events."""
    found = []
    for number in range(80):
        template = KINDS[number % 4]
        values = {"Id": 1000 + number, "Amount": number * 1.25, "Sku": SKUS[number % 3], "Count": number * 7 % 13}
        values["Name"] = SKUS[number * 7 % 4]
        found.append((10 + number * 7.3, template, {k: v for k, v in values.items() if "{" + k + "}" in template}))
    return found


def filled(template: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        template = template.replace("{" + name + "}", str(value))
    return template


def logcat(number: int, template: str, values: dict[str, Any]) -> str:
    return f"1042  {1077 + number % 3} I {('orders', 'stock')[number % 2]:<8}: {filled(template, values)}"


def plain(_: int, template: str, values: dict[str, Any]) -> str:
    """Floats as most languages write them; the document's own are JSON's."""
    shown = {name: float(value) if name == "Amount" else value for name, value in values.items()}
    return f"[INFO] (shop) {filled(template, shown)}"


def logger_in_front(number: int, template: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"message": f"shop.{('orders', 'stock')[number % 2]} - {filled(template, values)}"}


def unrendered(_: int, template: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"message": template, "params": values}


def gelf(_: int, template: str, values: dict[str, Any]) -> dict[str, Any]:
    text = filled(template, values)
    return {"message": None, "short_message": text[:12], "full_message": text}


Wording = Callable[[int, str, dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("console", "document"),
    [
        pytest.param(logcat, logger_in_front, id="a tag here, a logger there"),
        pytest.param(plain, unrendered, id="a template that nobody rendered"),
        pytest.param(plain, gelf, id="a short and a full message"),
    ],
)
def test_both_wordings_are_one_event(console: Wording, document: Wording, tmp_path: Path) -> None:
    incident = Incident()
    for number, (at, template, values) in enumerate(events()):
        incident.say(at + 0.0003, f"2026-11-20 {console(number, template, values)}")
        if number not in (22, 41):
            incident.ship(at, **document(number, template, values))
    rows = incident.answered(tmp_path)
    assert {row["verdict"] for row in rows} == {"matched", "console_only"}
    assert len(lost(rows)) == 2


def test_a_request_is_found_by_its_values_where_a_formatter_words_the_message(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(60):
        at, took = 11 + number * 9, number * 37 % 900
        incident.say(at, f"--> GET /items/{number * 7919} 200 {took}ms trace={number:08x}{number * 31:04x}")
        values = {"verb": "GET", "route": f"/items/{number * 7919}", "code": 200, "took": took}
        if number != 20:
            incident.ship(at, "HTTP GET responded 200", **values, trace=f"{number:08x}{number * 31:04x}")
    rows = incident.answered(tmp_path)
    assert ["/items/158380 " in text for _, text in lost(rows)] == [True]
    assert {row["side"] for row in rows} == {"console"}


def test_documents_of_one_request_are_not_its_lost_lines(tmp_path: Path) -> None:
    """An audit trail in Elasticsearch alone shares its request's values with lines whose own documents are missing."""
    incident = Incident()
    incident.usual()
    for number in range(60):
        at, request, user = 11 + number * 9, f"{number:08x}", f"u{number * 7919}"
        incident.log(at, f"Checked basket {number * 31} of {user} in request {request}", shipped=number < 30)
        audit = {
            "request": request,
            "user": user,
            "basket": number * 31,
            "rule": f"r{number * 13}",
            "risk": number * 17,
        }
        incident.ship(at + 0.01, f"audit passed rule r{number * 13}", **audit)
    rows = incident.answered(tmp_path)
    assert len(lost(rows)) == 30
    assert sum(row["verdict"] == "elastic_only" for row in rows) == 60


def test_the_document_of_an_entry_is_its_first_line_where_each_line_was_shipped_by_itself(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(30):
        head = f"2026-11-20 10:00:{number:02d}.500 ERROR shop - order {number} failed"
        trace = ["java.lang.IllegalStateException: closed", f"\tat shop.Orders.place(Orders.java:{number})"]
        incident.say(10 + number, "\n".join([head, *trace]))
        for line in [*reversed(trace), head]:
            incident.ship(10 + number, line)
    incident.answered(tmp_path)
    assert documents(tmp_path) == [f"logs/d{3 * number + 2}" for number in range(30)]


def test_a_json_line_that_a_shipper_cut_is_truncated(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(40):
        entry = json.dumps(
            {"ts": f"2026-11-20T10:00:{number:02d}Z", "text": f"order {number}", "note": "x y " * number}
        )
        incident.say(10 + number, entry)
        incident.ship(10 + number, entry[:120])
    verdicts = [row["verdict"] for row in incident.answered(tmp_path)]
    long = sum(4 * number + 61 + len(str(number)) > 120 for number in range(40))
    assert verdicts.count("truncated") == long
    assert verdicts.count("matched") == 40 - long


@pytest.mark.parametrize("rendered", [True, False], ids=["rendered", "unrendered"])
def test_a_template_with_other_values_is_another_event(*, rendered: bool, tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    template = "Payment {Id} over {Sum} booked"
    for number in range(30):
        values = {"Id": number * 31, "Sum": number * 7}
        incident.log(11 + number * 9, filled(template, values), shipped=False)
        if number < 10:
            values = {name: value + 5 for name, value in values.items()}
        text = filled(template, values) if rendered else template
        incident.ship(11.2 + number * 9, text, **({"messageTemplate": template} if rendered else {}), fields=values)
    rows = incident.answered(tmp_path)
    assert len(lost(rows)) == 10
    assert sum(row["verdict"] == "elastic_only" for row in rows) == 10


def test_values_that_a_console_appends_cut_nothing_at_another_time_either(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(60):
        text = f"copied files={number % 7} dir=/data/{number}" if number % 6 == 1 else f"plan {number} made"
        incident.log(10 + number * 5, f'{text} {{"n":{number},"plan":"a"}}', shipped=False)
        incident.ship(3610 + number * 5, text)
    assert {row["verdict"] for row in incident.answered(tmp_path)} == {"at_other_time"}
