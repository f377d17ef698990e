"""Importing a hand-collected folder: a missing or broken file is a gap, the rest is used, nothing leaks."""

import gzip
import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from incident_kit import changes, console_only, import_folder, logs, read_evidence
from incident_kit.errors import BundleError, UsageError
from incident_kit.evidence.notes import add_note, read_notes
from incident_kit.tables.kubernetes import PODS
from incident_kit.window import parse_rfc3339
from tests.importing.folder import POD, write_folder


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "collected")


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "incident_kit", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def gaps(evidence, source=None):
    rows = evidence.gaps.to_dict("records")
    return [row for row in rows if source in (None, row["source"])]


def test_a_whole_folder_answers_which_entry_never_arrived(folder, tmp_path):
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    [row] = console_only(evidence).to_dict("records")

    assert row["text"].endswith("Order 30 accepted")
    assert (row["namespace"], row["pod"], row["container"], row["restart_count"]) == ("shop", POD, "app", 0)


def test_a_zip_answers_the_same(folder, tmp_path):
    evidence = read_evidence(import_folder(folder, tmp_path / "a.zip"))

    assert len(console_only(evidence)) == 1


def test_every_file_may_be_gzipped(folder, tmp_path):
    for path in [p for p in folder.rglob("*") if p.is_file() and p.name != "window.json"]:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    assert len(console_only(evidence)) == 1


def test_environment_values_never_enter_the_bundle(folder, tmp_path):
    bundle = import_folder(folder, tmp_path / "a.incident")

    leaked = [path for path in bundle.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]

    assert leaked == []


def test_a_folder_inside_the_folder_is_found(folder, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    shutil.move(folder, outer / "raw")

    assert read_evidence(import_folder(outer, tmp_path / "a.incident")).cluster == "shop-test"


def test_what_is_missing_is_said_with_the_command_that_gets_it(folder, tmp_path):
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    [row] = [row for row in gaps(evidence, "kubernetes") if row["what"] == "kubernetes/events.json"]

    assert row["remedy"].startswith("kubectl get events -A -o json")
    assert gaps(evidence, "argocd") and gaps(evidence, "rabbitmq")


def test_no_console_is_a_gap_and_nothing_is_called_console_only(folder, tmp_path):
    shutil.rmtree(folder / "console")

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    assert gaps(evidence, "console")
    assert console_only(evidence).empty


def test_no_documents_make_every_entry_unknown(folder, tmp_path):
    shutil.rmtree(folder / "elasticsearch")

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    rows = console_only(evidence, verdicts=True)
    assert set(rows["verdict"]) == {"unknown"} and len(rows) == 60


@pytest.mark.parametrize("name", ["kubernetes/pods.json", "elasticsearch/hits.ndjson"])
def test_a_torn_file_is_a_gap_that_names_file_and_line(folder, tmp_path, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(len(whole) * 0.7)])

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    assert any(row["what"].startswith(name) and "line" in f"{row['what']} {row['reason']}" for row in gaps(evidence))


def test_an_empty_file_is_a_gap(folder, tmp_path):
    (folder / "kubernetes/pods.json").write_bytes(b"")

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    assert any(row["what"] == "kubernetes/pods.json" and "empty" in row["reason"] for row in gaps(evidence))
    assert len(console_only(evidence)) == 1


def test_latin_1_bytes_on_the_console_are_kept_visibly(folder, tmp_path):
    path = folder / "console/shop" / POD / "app.log"
    path.write_bytes(path.read_bytes().replace(b"Order 30 accepted", b"Order caf\xe9 accepted"))

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    [row] = console_only(evidence).to_dict("records")
    assert "caf" in row["text"] and "accepted" in row["text"]


def test_a_misnamed_file_is_said_with_the_name_it_should_have(folder, tmp_path):
    (folder / "kubernetes/pods.json").unlink()
    (folder / "kubernetes/pods.txt").write_text("orders-api is running")

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    assert any("kubernetes/pods.json" in (row["remedy"] or "") for row in gaps(evidence, "bundle"))


def test_without_a_window_the_remedy_is_shown(folder, tmp_path):
    (folder / "window.json").unlink()

    with pytest.raises(UsageError, match=r"there is no window\.json.*--from"):
        import_folder(folder, tmp_path / "a.incident")


def test_the_window_may_say_from_and_to(folder, tmp_path):
    (folder / "window.json").write_text('{"from": "2026-11-20T08:00:00Z", "to": "2026-11-20T09:00:00Z"}')

    assert str(read_evidence(import_folder(folder, tmp_path / "a.incident")).window)[:16] == "2026-11-20T08:00"


def test_an_output_that_exists_is_refused_without_force_and_replaced_with_it(folder, tmp_path):
    import_folder(folder, tmp_path / "a.incident")

    with pytest.raises(BundleError, match="--force"):
        import_folder(folder, tmp_path / "a.incident")
    assert import_folder(folder, tmp_path / "a.incident", force=True).is_dir()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_that_is_no_bundle_is_never_replaced(folder, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")

    with pytest.raises(BundleError, match="no bundle"):
        import_folder(folder, precious, force=True)
    assert (precious / "thesis.txt").read_text() == "years of work"


def test_a_folder_with_nothing_of_the_layout_is_refused_with_what_is_expected(tmp_path):
    (tmp_path / "empty").mkdir()

    with pytest.raises(UsageError, match="holds nothing to import"):
        import_folder(tmp_path / "empty", tmp_path / "a.incident")


def test_importing_a_bundle_makes_its_tables_anew_and_keeps_gaps_and_notes(folder, tmp_path):
    old = import_folder(folder, tmp_path / "old.incident")
    add_note(old, "look at the sync")
    first = read_evidence(old)

    again = read_evidence(import_folder(old, tmp_path / "new.zip"))

    assert again.manifest.gaps == first.manifest.gaps and again.manifest.rows == first.manifest.rows
    assert len(read_notes(again.folder)) == 1
    assert console_only(again).equals(console_only(first))


def test_the_commands_answer_with_their_exit_codes(folder, tmp_path):
    bundle = tmp_path / "a.incident"

    imported = run("import", folder, "-o", bundle)
    answered = run("console-only", bundle, "--output", "json")
    again = run("import", folder, "-o", bundle)
    unknown = run("trace", "no-such-pod", bundle)
    wrong = run("console-only", bundle, "--pod")

    assert imported.returncode == 3 and "gaps" in imported.stderr
    assert [row["verdict"] for row in json.loads(answered.stdout)["rows"]] == ["console_only"]
    assert again.returncode == 1 and len(again.stderr.strip().splitlines()) == 1
    assert unknown.returncode == 1 and "Traceback" not in unknown.stderr
    assert wrong.returncode == 2


def test_half_a_surrogate_pair_in_a_document_is_replaced_and_said(folder, tmp_path):
    pods = folder / "kubernetes" / "pods.json"
    pods.write_text(pods.read_text().replace("Running", r"Run\ud800ning \ud83d\ude00 \\ud800"))
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))
    assert POD in set(evidence.table(PODS)["pod"])
    assert any(row["what"] == "kubernetes/pods.json" and "UTF-8" in row["reason"] for row in gaps(evidence))


def test_an_integer_beyond_64_bits_in_a_torn_list_is_no_fault(folder, tmp_path):
    pods = folder / "kubernetes" / "pods.json"
    document = json.loads(pods.read_text())
    document["items"][0]["metadata"]["annotations"] = {"n": 10**30}
    pods.write_text(json.dumps(document)[:-1])
    assert POD in set(read_evidence(import_folder(folder, tmp_path / "a.incident")).table(PODS)["pod"])


def test_a_file_whose_name_is_not_utf_8_is_left_out_with_a_gap(folder, tmp_path):
    odd = os.path.join(os.fsencode(folder), b"console", b"shop", b"\xff\xfepod")
    os.makedirs(odd)
    with open(os.path.join(odd, b"app.log"), "w") as stream:
        stream.write("2026-11-20T08:00:01.000000000Z hi\n")
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))
    assert any(r"\xff\xfepod" in row["what"] for row in gaps(evidence, "bundle"))


def test_the_window_file_may_be_compressed_like_any_other(folder, tmp_path):
    window = folder / "window.json"
    (folder / "window.json.gz").write_bytes(gzip.compress(window.read_bytes()))
    plain = read_evidence(import_folder(folder, tmp_path / "plain.incident")).window
    window.unlink()
    packed = read_evidence(import_folder(folder, tmp_path / "packed.incident"))
    assert packed.window == plain
    assert not any("window.json" in row["what"] for row in gaps(packed))


def test_a_torn_console_covers_nothing_after_its_last_line(folder, tmp_path):
    (log,) = sorted((folder / "console").rglob("*.log"))[:1]
    packed = gzip.compress(log.read_bytes(), compresslevel=0)
    log.unlink()
    log.with_name(f"{log.name}.gz").write_bytes(packed[: len(packed) // 2])
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))
    console = evidence.coverage[evidence.coverage["source"] == "console"]
    assert not console["complete"].any()
    assert (console["to"] < pd.Timestamp(evidence.window.end, tz="UTC")).all()
    assert "elastic_only" not in set(console_only(evidence, verdicts=True)["verdict"])


def test_files_that_powershell_wrote_as_utf_16_are_read(folder, tmp_path):
    for path in [*folder.rglob("*.log"), *folder.rglob("*.ndjson")]:
        path.write_bytes(path.read_text("utf-8").replace("\n", "\r\n").encode("utf-16"))

    [row] = console_only(read_evidence(import_folder(folder, tmp_path / "a.incident"))).to_dict("records")

    assert row["text"].endswith("Order 30 accepted")


def test_ends_of_a_range_that_are_the_wrong_way_round_are_a_wrong_question(folder, tmp_path):
    bundle = import_folder(folder, tmp_path / "a.incident")

    asked = run("logs", POD, bundle, "--from", "2026-11-20T08:30:00Z", "--to", "2026-11-20T08:10:00Z")

    assert asked.returncode == 2 and "before it begins" in asked.stderr


def break_line(folder, number, cut):
    path = folder / "elasticsearch" / "hits.ndjson"
    lines = path.read_text("utf-8").splitlines()
    lines[number] = lines[number][: lines[number].index(cut)] + "\ufffd"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("again", [False, True])
def test_a_broken_hit_that_still_says_whose_and_when_and_what_leaves_no_doubt(folder, tmp_path, again):
    source = (folder / "elasticsearch" / "hits.ndjson").read_text("utf-8")
    swapped = source.replace(
        '"log.level": "INFO", "podName": "' + POD + '"', '"podName": "' + POD + '", "log.level": "INFO"'
    )
    (folder / "elasticsearch" / "hits.ndjson").write_text(swapped, encoding="utf-8")
    break_line(folder, 10, '"INFO"')
    bundle = import_folder(folder, tmp_path / "a.incident")
    if again:
        bundle = import_folder(bundle, tmp_path / "b.incident")

    evidence = read_evidence(bundle)

    assert any("hits.ndjson line 11" in row["what"] for row in gaps(evidence))
    assert [row["text"][-17:] for row in console_only(evidence).to_dict("records")] == ["Order 30 accepted"]
    assert set(console_only(evidence, verdicts=True)["verdict"]) == {"matched", "console_only"}


def test_a_broken_hit_that_could_be_any_leaves_every_unmatched_entry_unknown(folder, tmp_path):
    break_line(folder, 10, "podName")
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    verdicts = console_only(evidence, verdicts=True)

    assert len(console_only(evidence)) == 0
    assert (verdicts["verdict"] == "unknown").sum() >= 1


def test_making_tables_anew_still_knows_that_a_console_was_torn(folder, tmp_path):
    (log,) = sorted((folder / "console").rglob("*.log"))[:1]
    packed = gzip.compress(log.read_bytes(), compresslevel=0)
    log.unlink()
    log.with_name(f"{log.name}.gz").write_bytes(packed[: len(packed) // 2])
    first = import_folder(folder, tmp_path / "a.incident")

    again = read_evidence(import_folder(first, tmp_path / "b.incident"))

    before, after = (
        e.coverage[e.coverage["source"] == "console"].to_dict("records") for e in (read_evidence(first), again)
    )
    assert after == before
    assert not after[0]["complete"]


def test_lists_by_other_names_and_in_folders_are_read_and_are_not_missing(folder, tmp_path):
    pods = folder / "kubernetes" / "pods.json"
    item = json.loads(pods.read_text())["items"][0]
    deployment = {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": "orders-api", "namespace": "shop"},
    }
    pods.unlink()
    (folder / "kubernetes" / "all.json").write_text(json.dumps({"kind": "List", "items": [item, deployment]}))
    (folder / "kubernetes" / "billing").mkdir()
    (folder / "kubernetes" / "billing" / "services.json").write_text('{"kind": "List", "items": []}')

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    missing = {row["what"] for row in gaps(evidence, "kubernetes")}
    assert not missing & {f"kubernetes/{plural}.json" for plural in ("pods", "deployments", "services")}
    assert "kubernetes/jobs.json" in missing
    assert len(console_only(evidence)) == 1


@pytest.mark.parametrize(
    "name", ["argocd/orders-api.json", "kubernetes/everything.json", "kubernetes/applications.json"]
)
def test_applications_are_read_wherever_they_were_saved(folder, tmp_path, name):
    history = [{"id": 1, "deployedAt": "2026-11-20T08:10:00Z", "revision": "a" * 40, "initiatedBy": {"username": "ci"}}]
    app = {
        "kind": "Application",
        "metadata": {"name": "orders-api", "namespace": "argocd"},
        "status": {"history": history},
    }
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(app))

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    told = changes(evidence)
    assert [(row["name"], row["by"]) for row in told[told["what"] == "sync"].to_dict("records")] == [
        ("orders-api", "ci")
    ]
    assert not [row for row in gaps(evidence, "argocd") if row["what"] == "argocd/applications.json"]


def test_a_console_in_the_wrong_place_is_said_with_the_place_it_should_have(folder, tmp_path):
    (folder / "console" / "notes.log").write_text("x")

    [gap] = gaps(read_evidence(import_folder(folder, tmp_path / "a.incident")), "bundle")

    assert gap["what"] == "console/notes.log" and "console/NAMESPACE/POD/CONTAINER.log" in gap["remedy"]


def test_what_file_managers_leave_behind_is_nobodys_gap(folder, tmp_path):
    for name in (".DS_Store", "kubernetes/.DS_Store", "Thumbs.db", "console/._shop"):
        (folder / name).write_bytes(b"\0")

    assert gaps(read_evidence(import_folder(folder, tmp_path / "a.incident")), "bundle") == []


@pytest.mark.parametrize("name", ["kubernetes/pods.yaml", "kubernetes/pods.yml.gz", "kubernetes/pods.json"])
def test_objects_saved_as_yaml_are_read_and_redacted(folder, tmp_path, name):
    item = json.loads((folder / "kubernetes/pods.json").read_text())["items"][0]
    item["spec"]["containers"][0]["env"] = [{"name": "PASSWORD", "value": "hunter2"}]
    (folder / "kubernetes/pods.json").unlink()
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [item]}).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    bundle = import_folder(folder, tmp_path / "a.incident")

    assert not [path for path in bundle.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    evidence = read_evidence(bundle)
    assert list(evidence.table(PODS)["pod"]) == [POD]
    assert not [row for row in gaps(evidence, "kubernetes") if row["what"].startswith("kubernetes/pods")]


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-11-20T09:30:00Z", "2026-11-20T10:30:00Z"), ("2026-11-19T08:00:00Z", "2026-11-19T09:00:00Z")],
)
def test_a_window_that_holds_none_of_the_logs_is_said_with_the_times_that_they_have(folder, tmp_path, start, end):
    (folder / "window.json").write_text(json.dumps({"start": start, "end": end}))

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    told = {row["source"]: row for row in evidence.gaps.to_dict("records") if row["what"] == "window"}
    assert set(told) == {"console", "elasticsearch"}
    assert "they are from 2026-11-20T08:00:00Z to 2026-11-20T08:59:01Z" in told["console"]["reason"]
    assert "--from 2026-11-20T08:00:00Z --to 2026-11-20T08:59:01Z" in told["console"]["remedy"]
    assert console_only(evidence).empty


def test_a_window_that_holds_some_of_the_logs_is_no_gap(folder, tmp_path):
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))
    assert not [row for row in evidence.gaps.to_dict("records") if row["what"] == "window"]


def test_documents_that_all_lie_before_the_window_of_the_console_are_a_loss_and_no_gap(folder, tmp_path):
    """Shipping ended before the window began: what the console holds in it is only there."""
    (folder / "window.json").write_text(json.dumps({"start": "2026-11-20T08:40:00Z", "end": "2026-11-20T09:00:00Z"}))
    hits = folder / "elasticsearch/hits.ndjson"
    hits.write_text("".join(hits.read_text().splitlines(keepends=True)[:35]))

    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))

    assert not [row for row in evidence.gaps.to_dict("records") if row["what"] == "window"]
    assert len(console_only(evidence)) == 20


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [(None, None, False), ("08:10", "08:20", False), ("07:50", None, True), ("08:10", "09:30", True)],
)
def test_logs_that_were_asked_for_beyond_the_window_are_said_not_to_be_told(folder, tmp_path, start, end, told):
    evidence = read_evidence(import_folder(folder, tmp_path / "a.incident"))
    lower, upper = (parse_rfc3339(f"2026-11-20T{clock}:00Z") if clock else None for clock in (start, end))

    frame = logs(POD, evidence, start=lower, end=upper)

    assert len(frame)
    assert ("gaps" in frame.attrs) is told


ACCEPTED = (
    "2026-11-20 08:10:00.5+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)"
)


@pytest.mark.parametrize("among_addresses", [False, True])
@pytest.mark.parametrize("escaped", [False, True])
def test_a_brokers_records_are_found_on_the_way_as_they_are_afterwards(folder, tmp_path, among_addresses, escaped):
    source = {"@timestamp": "2026-11-20T08:10:00.5Z", "podName": "rabbit-0", "message": ACCEPTED}
    if among_addresses:  # such a line is written anew, without its escapes
        source["owner"] = "ann@example.org"
    line = json.dumps({"_index": "logs", "_id": "r", "_source": source}) + "\n"
    with (folder / "elasticsearch" / "hits.ndjson").open("a") as hits:
        hits.write(line.replace("AMQP connection", "AMQP\\u0020connection") if escaped else line)

    imported = read_evidence(import_folder(folder, tmp_path / "a.incident"))
    again = read_evidence(import_folder(imported.folder, tmp_path / "b.incident"))

    assert imported.manifest.rows == again.manifest.rows
    assert imported.manifest.rows["connections"] == (not escaped or among_addresses)
