"""Elasticsearch's documents in the forms in which people have them: each becomes hits."""

import json

import pytest

from incident_kit import console_only, import_folder, read_evidence
from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.hits import Reading, close_reading, hit_files, read_hits
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import default_profile
from tests.importing.bringing import POD, WINDOW, bring
from tests.importing.folder import hits, write_folder

FIELDS = {
    "@timestamp": "2026-11-20T08:01:00.250Z",
    "podName": POD,
    "log.level": "INFO",
    "message": 'said "so", then\nleft',
}
COLUMNS = [{"name": name, "type": "keyword"} for name in FIELDS]


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


def csv_of(values, delimiter=","):
    return delimiter.join('"' + value.replace('"', '""') + '"' for value in values) + "\r\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Untitled discover search.csv", "\ufeff" + csv_of(FIELDS) + csv_of(FIELDS.values())),
        ("elasticsearch/kibana.csv", csv_of(FIELDS, ";") + csv_of(FIELDS.values(), ";")),
        ("elasticsearch/sql.json", json.dumps({"columns": COLUMNS, "rows": [list(FIELDS.values())]})),
        ("ppl.json", json.dumps({"schema": COLUMNS, "datarows": [list(FIELDS.values())], "total": 1})),
        ("columnar.json", json.dumps({"columns": COLUMNS, "values": [[value] for value in FIELDS.values()]})),
        ("docs.json", json.dumps([FIELDS], indent=1)),
        (
            "sql.tsv",
            "\t".join(FIELDS) + "\n" + "\t".join(value.replace("\n", "\\n") for value in FIELDS.values()) + "\n",
        ),
        ("esql.json", json.dumps({"took": 1, "columns": COLUMNS, "values": [list(FIELDS.values())]}, indent=1)),
    ],
)
def test_a_table_of_documents_is_one_hit_a_row(tmp_path, name, text):
    kept, gaps = bring(tmp_path, {name: text})

    [(path, line)] = kept.items()
    hit = json.loads(line)
    assert path.startswith("elasticsearch/") and path.endswith(".ndjson") and gaps == []
    assert hit["_source"] == FIELDS and hit["_id"] == f"{name} row 1"


def test_a_drawn_table_of_documents_is_read_without_its_rules(tmp_path):
    text = "      @timestamp        |  podName   | message \n------------------------+------------+---------\n"
    text += f"2026-11-20T08:01:00.250Z|{POD}|said so  \n"

    kept, _ = bring(tmp_path, {"elasticsearch/esql.txt": text})

    [line] = "".join(kept.values()).splitlines()
    assert json.loads(line)["_source"] == {"@timestamp": FIELDS["@timestamp"], "podName": POD, "message": "said so"}


def test_a_table_that_has_ids_keeps_them_and_what_is_missing_is_left_out(tmp_path):
    row = {"_id": "a1", "_index": "logs", "_score": "-", **FIELDS, "log.level": "-"}

    kept, _ = bring(tmp_path, {"discover.csv": csv_of(row) + csv_of(row.values())})

    hit = json.loads("".join(kept.values()))
    assert (hit["_id"], hit["_index"], set(hit["_source"])) == ("a1", "logs", {"@timestamp", "podName", "message"})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"columns": COLUMNS, "values": [list(FIELDS.values())] * 1000}, "exactly 1,000 rows"),
        ({"is_partial": True, "columns": COLUMNS, "values": [list(FIELDS.values())]}, "partial"),
        ({"columns": COLUMNS, "cursor": "abc", "rows": [list(FIELDS.values())]}, "cursor"),
    ],
)
def test_a_table_that_may_be_a_part_leaves_doubt(tmp_path, answer, said):
    _, gaps = bring(tmp_path, {"answer.json": json.dumps(answer)})

    [gap] = gaps
    assert (gap["source"], gap["what"]) == ("elasticsearch", "elasticsearch/answer.json") and said in gap["reason"]


def answer(found):
    shards = {"total": 1, "successful": 1, "failed": 0}
    return {
        "timed_out": False,
        "_shards": shards,
        "hits": {"total": {"value": len(found), "relation": "eq"}, "hits": found},
    }


HITS = [json.loads(line) for line in hits()]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("elasticdump.json", "".join(json.dumps(hit) + "\n" for hit in HITS)),
        ("elasticsearch/output.log", "".join(json.dumps(hit["_source"]) + "\n" for hit in HITS)),
        ("elasticsearch/hits.json", "\n".join(json.dumps(hit, indent=2) for hit in HITS)),
        ("result (1).JSON", json.dumps(answer(HITS), indent=2)),
        ("elasticsearch/async.json", json.dumps({"id": "x", "is_partial": False, "response": answer(HITS)})),
        ("elasticsearch/bsearch.txt", json.dumps({"id": 0, "result": {"id": "x", "rawResponse": answer(HITS)}}) + "\n"),
        ("hits.json", json.dumps(HITS, indent=1)),
        ("devtools.txt", "# GET logs-*/_search\n" + json.dumps(answer(HITS), indent=2)),
        ("elasticsearch/devtools.json", "GET logs-*/_search\n" + json.dumps(answer(HITS)).replace(
            '"Order 1 accepted"', '"""Order 1\naccepted"""')),
    ],
)  # fmt: skip
def test_documents_are_all_hits_however_they_were_saved(tmp_path, name, text):
    _, gaps = bring(tmp_path, {name: text})

    raw, reading = RawFolder(tmp_path / "raw"), Reading()
    context = Context(cluster="c", window=WINDOW, captured_at=None, profile=default_profile())
    found = list(read_hits(raw, hit_files(raw), context, reading))
    close_reading(context, reading)
    assert [hit.source["@timestamp"] for hit in found] == [hit["_source"]["@timestamp"] for hit in HITS]
    assert gaps == context.gaps == reading.incomplete == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("elasticsearch/unknown.txt", "Order 30 accepted"),
        ("elasticsearch/wrapped.json", json.dumps({"isRunning": False, "answer": {"hits": []}})),
    ],
)
def test_documents_that_could_not_be_read_leave_no_entry_console_only(tmp_path, name, text):
    folder = write_folder(tmp_path / "collected")
    (folder / name).write_text(text)

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    verdicts = console_only(evidence, verdicts=True)
    assert "console_only" not in set(verdicts["verdict"]) and "unknown" in set(verdicts["verdict"])


def test_a_console_of_json_lines_in_its_place_is_no_document(tmp_path):
    line = json.dumps({"@timestamp": "2026-11-20T08:01:00Z", "podName": POD, "message": "x"}) + "\n"

    kept, _ = bring(tmp_path, {f"console/shop/{POD}/app.log": line})

    assert list(kept) == [f"console/shop/{POD}/app.log"]


def test_a_console_of_which_nothing_tells_the_namespace_has_that_of_its_pods_documents(tmp_path):
    folder = tmp_path / "collected"
    folder.mkdir()
    fields = {**FIELDS, "kubernetes.namespace": "shop", "kubernetes.container.name": "app"}
    rows = [
        {**fields, "@timestamp": f"2026-11-20T08:{n:02d}:00Z", "message": f"Order {n} accepted"}
        for n in range(60)
        if n != 30
    ]
    (folder / "search.csv").write_text(csv_of(fields) + "".join(csv_of(row.values()) for row in rows))
    (folder / f"{POD}.log").write_text(
        "".join(f"2026-11-20T08:{n:02d}:00.000000000Z INFO Order {n} accepted\n" for n in range(60))
    )

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident", window=WINDOW))

    [row] = console_only(evidence).to_dict("records")
    assert (row["text"], row["namespace"], row["container"]) == ("INFO Order 30 accepted", "shop", "app")
