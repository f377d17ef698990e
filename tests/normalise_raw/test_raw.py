"""A broken file is a gap that names file and line, and the rest of it is used."""

import gzip
import json

import pytest
import yaml

from incident_kit.normalise.context import Context
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import default_profile
from incident_kit.window import Window


@pytest.fixture
def context():
    return Context(cluster="test", window=Window(start=0, end=1), captured_at=None, profile=default_profile())


def write(tmp_path, data, name="kubernetes/pods.json"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return RawFolder(tmp_path)


PODS = {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod", "metadata": {"name": f"p{i}"}} for i in range(5)]}


def test_a_missing_file_is_none_and_an_empty_list_is_empty(tmp_path, context):
    raw = write(tmp_path, b'{"kind": "PodList", "items": []}')

    assert raw.kubernetes("pods", context) == []
    assert raw.kubernetes("nodes", context) is None
    assert context.gaps == []


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_torn_list_gives_its_complete_objects_and_names_the_line(tmp_path, context, indent):
    text = json.dumps(PODS, indent=indent)
    cut = text.rindex("p4")
    raw = write(tmp_path, text[:cut].encode())

    found = raw.kubernetes("pods", context)

    assert [pod["metadata"]["name"] for pod in found] == ["p0", "p1", "p2", "p3"]
    [gap] = context.gaps
    assert gap["what"].startswith("kubernetes/pods.json line ")
    assert "4 complete objects" in gap["reason"]


def test_one_broken_object_loses_only_itself(tmp_path, context):
    text = json.dumps(PODS, indent=1).replace('"p2"', "p2")
    raw = write(tmp_path, text.encode())

    found = raw.kubernetes("pods", context)

    assert [pod["metadata"]["name"] for pod in found] == ["p0", "p1", "p3", "p4"]
    assert len(context.gaps) == 1


def test_an_empty_file_is_a_gap_not_an_empty_answer(tmp_path, context):
    raw = write(tmp_path, b"")

    assert raw.kubernetes("pods", context) == []
    assert context.gaps[0]["reason"] == "the file is empty"


def test_latin_1_bytes_are_kept_visibly_and_said(tmp_path, context):
    raw = write(tmp_path, json.dumps(PODS).encode().replace(b"p0", b"caf\xe9"))

    found = raw.kubernetes("pods", context)

    assert found[0]["metadata"]["name"] == "caf\\xe9"
    assert "not UTF-8" in context.gaps[0]["reason"]


def test_powershell_utf16_is_read(tmp_path, context):
    raw = write(tmp_path, json.dumps(PODS).encode("utf-16"))

    assert len(raw.kubernetes("pods", context)) == 5


def test_a_truncated_gzip_uses_what_decompresses(tmp_path, context):
    packed = gzip.compress(json.dumps(PODS, indent=1).encode(), compresslevel=0)
    raw = write(tmp_path, packed[:-40], "kubernetes/pods.json.gz")

    found = raw.kubernetes("pods", context)

    assert [pod["metadata"]["name"] for pod in found] == ["p0", "p1", "p2", "p3"]
    assert any("torn" in gap["reason"] for gap in context.gaps)


def test_items_of_a_typed_list_get_their_kind_back(tmp_path, context):
    raw = write(tmp_path, b'{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}]}')

    assert raw.kubernetes("pods", context)[0]["kind"] == "Pod"


def test_a_refusal_that_was_saved_as_a_file_is_a_gap_in_the_servers_words(tmp_path, context):
    status = {"kind": "Status", "status": "Failure", "message": "pods is forbidden: User cannot list"}
    raw = write(tmp_path, json.dumps(status).encode())

    assert raw.kubernetes("pods", context) == []
    assert "pods is forbidden" in context.gaps[0]["reason"]


def test_pages_of_lists_are_joined(tmp_path, context):
    raw = write(tmp_path, json.dumps([PODS, PODS]).encode())

    assert len(raw.kubernetes("pods", context)) == 10


@pytest.mark.parametrize(
    ("text", "told", "remedy"),
    [
        (b'Error from server (Forbidden): pods is forbidden: User "x" cannot list resource', "Forbidden", "permission"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML", "Log in"),
        (b"apiVersion: v1\nitems: {kind: [\n", "broken YAML", "-o json"),
        (b"NAMESPACE   NAME   READY\nshop        x      1/1\n", "NAMESPACE", "-o json"),
    ],
)
def test_what_is_no_json_at_all_is_said_in_its_own_words_with_what_to_do(tmp_path, context, text, told, remedy):
    assert write(tmp_path, text).kubernetes("pods", context) == []
    [gap] = context.gaps
    assert gap["what"] == "kubernetes/pods.json" and told in gap["reason"] and remedy in gap["remedy"]


def test_one_page_of_a_list_is_not_the_list(tmp_path, context):
    page = {**PODS, "metadata": {"continue": "eyJ2IjoibWV0YSJ9", "remainingItemCount": 120}}
    assert len(write(tmp_path, json.dumps(page).encode()).kubernetes("pods", context)) == 5
    [gap] = context.gaps
    assert "120 more objects" in gap["reason"] and "limit" in gap["remedy"]


ONE = {"kind": "Pod", "metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready"}], "podIPs": [{"ip": "10.2.0.4"}]}}  # fmt: skip
OTHER = {**ONE, "metadata": {"name": "b"}}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ONE) + "\n" + json.dumps(OTHER) + "\n",
        json.dumps(ONE, indent=2) + json.dumps(OTHER, indent=2),
        json.dumps({"kind": "List", "items": [ONE]}) + "\n" + json.dumps({"kind": "List", "items": [OTHER]}),
    ],
)
def test_documents_one_after_another_are_all_read_and_are_no_gap(tmp_path, context, text):
    found = write(tmp_path, text.encode()).kubernetes("pods", context)

    assert [pod["metadata"]["name"] for pod in found] == ["a", "b"]
    assert context.gaps == []


def test_of_documents_one_after_another_only_the_torn_one_is_lost(tmp_path, context):
    torn = json.dumps({"kind": "List", "items": [OTHER, ONE]})[:-60]
    found = write(tmp_path, (json.dumps(ONE) + "\n" + torn).encode()).kubernetes("pods", context)

    assert [pod["metadata"]["name"] for pod in found] == ["a", "b"]
    [gap] = context.gaps
    assert "2 complete objects" in gap["reason"]


def as_yaml(document):
    return yaml.safe_dump(document, sort_keys=False)


def test_a_list_that_was_saved_as_yaml_is_read_like_json(tmp_path, context):
    text = as_yaml(PODS).replace(
        "name: p0", "name: p0\n    creationTimestamp: 2026-11-20T08:00:00Z\n    count: 99999999999999999999"
    )
    found = write(tmp_path, text.encode()).kubernetes("pods", context)

    assert [pod["metadata"]["name"] for pod in found] == ["p0", "p1", "p2", "p3", "p4"]
    assert found[0]["metadata"]["creationTimestamp"] == "2026-11-20T08:00:00Z"
    assert context.gaps == []


def test_json_inside_yaml_is_not_taken_for_the_document(tmp_path, context):
    applied = {"kind": "Pod", "metadata": {"name": "b", "annotations": {"last-applied": json.dumps(ONE)}}}
    text = as_yaml({"apiVersion": "v1", "items": [applied], "kind": "List"}) + "---\n" + as_yaml(ONE)

    assert [pod["metadata"]["name"] for pod in write(tmp_path, text.encode()).kubernetes("pods", context)] == ["b", "a"]


def test_torn_yaml_gives_its_complete_objects_and_names_the_line(tmp_path, context):
    text = as_yaml(PODS)[: as_yaml(PODS).rindex("name: p4")] + 'name: "p'
    found = write(tmp_path, text.encode()).kubernetes("pods", context)

    assert [pod["metadata"]["name"] for pod in found] == ["p0", "p1", "p2", "p3"]
    [gap] = context.gaps
    assert "broken YAML at line" in gap["reason"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: List\na: &a [x]\nitems: [*a, *a]", "aliases"),
        ("kind: List\nitems: " + "[" * 5000 + "]" * 5000, "nested deeper"),
        ("kind: Pod\nmetadata: !!python/object/apply:os.system [echo]", "could not determine a constructor"),
        ("kind: Pod\nmetadata: {name: !!binary aGk=}", "not readable as YAML"),
    ],
)
def test_hostile_yaml_is_a_gap(tmp_path, context, text, told):
    assert write(tmp_path, text.encode()).kubernetes("pods", context) == []
    assert told in context.gaps[0]["reason"]


def test_a_warning_before_the_document_loses_nothing_of_it(tmp_path, context):
    text = "Warning: v1 Endpoints is deprecated\n" + json.dumps(PODS, indent=1)

    assert len(write(tmp_path, text.encode()).kubernetes("pods", context)) == 5
    assert len(context.gaps) == 1
