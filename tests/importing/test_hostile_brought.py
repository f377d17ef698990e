"""Broken and hostile files: never an end of the import, never a guess; what was left out is a gap."""

import errno
import json
import os
import random
from pathlib import Path

import pytest

from tests.importing.bringing import POD, bring

STAMP = "2026-11-20T08:01:00Z"
LABELS = {"namespace": "shop", "pod": POD, "container": "app"}
DOCUMENTS = [
    {"status": "success", "data": {"resultType": "streams", "result": [{"stream": LABELS, "values": [["1795161660000000000", "x"]]}]}},
    {"tables": [{"name": "PrimaryResult", "columns": [{"name": "TimeGenerated"}, {"name": "PodName"}, {"name": "LogMessage"}],
                 "rows": [[STAMP, POD, "x"]]}]},
    {"columns": [{"name": "@timestamp"}, {"name": "podName"}, {"name": "message"}], "values": [[STAMP, POD, "x"]]},
    {"labels": LABELS, "line": "x", "timestamp": STAMP},
    [{"pid": "<rabbit@a.1.2.3>", "name": "a -> b", "peer_host": [10, 0, 0, 1], "peer_port": 1, "client_properties": [["a", "b", "c"]]}],
    {"running_nodes": ["rabbit@a"], "disk_nodes": ["rabbit@a"], "partitions": {}},
    {"rawResponse": {"_shards": {"failed": 0}, "hits": {"total": 1, "hits": [{"_index": "a", "_source": {}}]}}},
    [{"metadata": {"name": "a"}, "spec": {"destination": {}, "source": {"repoURL": "x"}}}],
]  # fmt: skip
TEXTS = [
    f"Name:  {POD}\nNamespace:  shop\nNode:  a/b\nContainers:\n  app:\n    State:  Running\n      Started:  Fri\nEvents:\n  Type\n  -\n  x\n",
    f"NAMESPACE   LAST SEEN   TYPE   REASON   OBJECT   MESSAGE\nshop   1m   Normal   A   Pod/{POD}   x\n",
    "name\tpeer_host\tpeer_port\na\t10.0.0.1\t1\n",
    "ID  DATE  REVISION\n0   2026-11-20 08:10:00 +0000 UTC  main (57ad10a)\n",
    f"TimeGenerated,PodName,LogMessage\n{STAMP},{POD},x\n",
    f"[pod/{POD}/app] {STAMP} x\n",
]
ODD = (None, 1, "x", [], {}, [1], {"a": 1}, True, -1.5, [[]], [{}], 10**30)


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


def otherwise(value, chance):
    """The same document, some of its values of other types."""
    if chance.random() < 0.1:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {key: otherwise(one, chance) for key, one in value.items()}
    return [otherwise(one, chance) for one in value] if isinstance(value, list) else value


def damaged(text, chance):
    """The same text, bytes of it lost, doubled or replaced."""
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data) or 1)
        end = place + chance.randint(1, 20)
        data[place:end] = chance.choice(
            [b"", data[place:end] * 2, b"\r", b"\0", b'"', b"\t\n", bytes([chance.randrange(256)])]
        )
    return bytes(data)


def test_whatever_is_wrong_with_a_file_the_import_goes_on(tmp_path):
    chance = random.Random(7)
    brought = {
        f"{n}/{m}.json": json.dumps(otherwise(one, chance)) for n in range(12) for m, one in enumerate(DOCUMENTS)
    }
    texts = [*TEXTS, *map(json.dumps, DOCUMENTS)]
    brought |= {f"{n}/{m}.txt": damaged(text, chance) for n in range(12) for m, text in enumerate(texts)}
    brought["good/rabbitmq/nodes.json"] = "[]"

    kept, gaps = bring(tmp_path, brought, captured_at=1_795_165_800_000_000_000)

    assert kept["rabbitmq/nodes.json"].split() == ["[", "]"] and gaps


@pytest.mark.parametrize(
    "content", [b"7z\xbc\xaf\x27\x1c\0\4" + bytes(range(256)), b"\x89PNG\r\n\x1a\n" + bytes(range(128, 256)) * 4]
)
def test_what_is_no_text_is_a_gap_that_names_it(tmp_path, content):
    kept, gaps = bring(tmp_path, {f"{POD}.log": content})

    assert kept == {} and [gap["what"] for gap in gaps] == [f"{POD}.log"]


def test_what_may_not_be_read_is_a_gap_and_the_rest_is_read(tmp_path, monkeypatch):
    """Root may read everything, so that the system's refusal is made here: of one file, and of one folder."""
    closed = ("kubernetes/pods.json", "console/shop")
    folder = tmp_path / "brought"
    scandir, access = os.scandir, os.access

    def refused(path):
        if Path(path) == folder / closed[1]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "access", lambda path, mode: path != folder / closed[0] and access(path, mode))
    monkeypatch.setattr(os, "scandir", refused)
    kept, gaps = bring(tmp_path, {closed[0]: "{}", f"{closed[1]}/{POD}/app.log": "x", "kubernetes/events.json": "[]"})

    assert list(kept) == ["kubernetes/events.json"]
    assert [(gap["what"], gap["reason"], gap["remedy"]) for gap in gaps] == [
        (what, "it may not be read (Permission denied); it is left out", "Have it made readable, and import again.")
        for what in (f"{closed[1]}/", closed[0])
    ]
