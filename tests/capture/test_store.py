"""Files of a capture have their name only when they are done; an interrupted capture goes on where it was."""

import gzip
import json
from pathlib import Path

import pytest

from incident_kit.capture.scope import Scope
from incident_kit.capture.session import Journal, Session
from incident_kit.capture.snapshot import Index, rotate, snapshots
from incident_kit.capture.store import RawStore
from incident_kit.errors import SourceUnreachable, UsageError
from incident_kit.normalise.context import Context
from incident_kit.profile import default_profile
from incident_kit.redaction import Redactor
from incident_kit.window import SECOND, Window, parse_rfc3339


@pytest.fixture
def store(tmp_path: Path) -> RawStore:
    return RawStore(tmp_path / "raw", Redactor(b"0" * 32))


def broken_off(*items: object):  # type: ignore[no-untyped-def]
    yield from items
    raise SourceUnreachable("kubernetes", "pods", "connection reset")


def test_a_list_that_breaks_off_keeps_what_came_and_says_so(store: RawStore) -> None:
    with pytest.raises(SourceUnreachable):
        store.objects("kubernetes/pods.json", broken_off({"a": 1}, {"a": 2}), lambda item: item)
    assert json.loads((store.folder / "kubernetes/pods.json").read_text()) == [{"a": 1}, {"a": 2}]


def test_a_log_that_breaks_off_keeps_its_whole_lines(store: RawStore) -> None:
    with pytest.raises(SourceUnreachable):
        store.text("console/s/p/c.log.gz", broken_off(b"one\n", b"password=hunter2\n"))
    text = gzip.decompress((store.folder / "console/s/p/c.log.gz").read_bytes())
    assert text.startswith(b"one\npassword=redacted-")


def test_an_interruption_leaves_no_half_file_under_its_name(store: RawStore) -> None:
    def interrupted():  # type: ignore[no-untyped-def]
        yield b"one\n"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.text("console/s/p/c.log.gz", interrupted())
    assert not store.has("console/s/p/c.log.gz")
    store.discard_parts()
    assert not list(store.folder.rglob("*.part"))


def test_hits_of_two_slices_go_to_two_files_and_are_redacted(store: RawStore) -> None:
    with store.hits("elasticsearch/documents", 2) as write:
        write(0, b'{"_source":{"message":"a"}}\n')
        write(1, b'{"_source":{"message":"password=hunter2"}}\n')
    texts = [gzip.decompress(p.read_bytes()) for p in sorted((store.folder / "elasticsearch").iterdir())]
    assert texts[0] == b'{"_source":{"message":"a"}}\n'
    assert b"hunter2" not in texts[1]


def test_the_journal_resumes_the_same_question_and_forgets_another(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.json", {"pod": "a"})
    first.mark("kubernetes pods")
    assert Journal(tmp_path / "journal.json", {"pod": "a"}).done("kubernetes pods")
    assert not Journal(tmp_path / "journal.json", {"pod": "b"}).done("kubernetes pods")
    (tmp_path / "journal.json").write_text("{torn")
    assert not Journal(tmp_path / "journal.json", {"pod": "a"}).resumed


def test_a_scope_takes_a_pod_by_name_namespace_application_label_or_tracking() -> None:
    pod = {"metadata": {"namespace": "shop", "name": "orders-0", "labels": {"app.kubernetes.io/instance": "orders"}}}
    tracked = {
        "metadata": {"name": "x", "annotations": {"argocd.argoproj.io/tracking-id": "orders:apps/Deployment:shop/x"}}
    }
    assert Scope(pod="orders-0").includes(pod)
    assert Scope(pod="shop/orders-0").includes(pod)
    assert not Scope(pod="billing/orders-0").includes(pod)
    assert Scope(app="orders").includes(pod)
    assert Scope(app="orders").includes(tracked)
    assert not Scope(app="order").includes(pod)
    with pytest.raises(UsageError):
        Scope(pod="")


def at(text: str) -> int:
    instant = parse_rfc3339(text)
    assert instant is not None
    return instant


def test_old_and_surplus_snapshots_go_the_newest_and_strange_files_stay(tmp_path: Path) -> None:
    for day in ("01", "10", "11", "12"):
        (tmp_path / f"202611{day}T000000Z.zip").write_bytes(b"x" * 100)
    (tmp_path / "notes.txt").write_text("mine")
    dropped = rotate(tmp_path, keep_days=7, keep_bytes=150, now=at("2026-11-12T00:00:01Z"))
    assert [path.name[:8] for path in dropped] == ["20261101", "20261110", "20261111"]
    assert [path.name[:8] for path in snapshots(tmp_path)] == ["20261112"]
    assert (tmp_path / "notes.txt").exists()


def test_an_unchanged_object_is_stored_once_until_its_snapshot_grows_old(tmp_path: Path) -> None:
    document = {"metadata": {"uid": "u", "resourceVersion": "7"}}
    changed = {"metadata": {"uid": "u", "resourceVersion": "8"}}
    first, path = "20261101T000000Z.zip", tmp_path / "index.json"
    index = Index(path, first, set(), at("2026-11-01T00:00:00Z"), 14)
    assert index.is_new(document)
    assert not index.is_new(document)
    index.write()
    assert not Index(path, "b", {first}, at("2026-11-02T00:00:00Z"), 14).is_new(document)
    assert Index(path, "b", {first}, at("2026-11-02T00:00:00Z"), 14).is_new(changed)
    assert Index(path, "b", {first}, at("2026-11-09T00:00:00Z"), 14).is_new(document)
    assert Index(path, "b", set(), at("2026-11-02T00:00:00Z") + SECOND, 14).is_new(document)


def session(store: RawStore, tmp_path: Path) -> Session:
    window = Window(start=0, end=SECOND)
    context = Context(cluster="c", window=window, captured_at=None, profile=default_profile(), imported=False)
    journal = Journal(tmp_path / "journal.json", {})
    said: list[str] = []
    return Session(
        profile=default_profile(), scope=Scope(), context=context, store=store, journal=journal, progress=said.append
    )


def refused() -> str:
    raise SourceUnreachable("elasticsearch", "documents", "connection refused", "Repeat the capture.")


def test_a_dead_source_is_a_gap_over_the_window_and_is_tried_again_next_time(store: RawStore, tmp_path: Path) -> None:
    capture = session(store, tmp_path)
    assert not capture.step("documents", "elasticsearch", refused)
    assert capture.step("pods", "kubernetes", lambda: "3")
    (gap,) = capture.context.gaps
    assert (gap["from"], gap["to"], gap["reason"]) == (0, SECOND, "connection refused")
    assert not Journal(tmp_path / "journal.json", {}).done("documents")
    assert Journal(tmp_path / "journal.json", {}).done("pods")


def test_what_only_makes_the_answer_poorer_leaves_no_part_of_the_window_unknown(
    store: RawStore, tmp_path: Path
) -> None:
    capture = session(store, tmp_path)
    capture.step("mappings", "elasticsearch", refused, hides=False)
    assert [(gap["from"], gap["to"]) for gap in capture.context.gaps] == [(None, None)]
