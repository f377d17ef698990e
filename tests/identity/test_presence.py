"""What a later list of pods says of an earlier bundle's pods: still there, or gone, and its address another's."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from incident_kit.answers.trace import trace
from incident_kit.cli.main import app
from incident_kit.evidence import Evidence, read_evidence
from incident_kit.importing.build import build_bundle, staging
from incident_kit.normalise.context import Context
from incident_kit.profile import Profile
from incident_kit.window import Window, parse_rfc3339
from tests.identity.bundles import bundle, day, pod

ADDRESS = "10.1.0.7"


def captured(
    folder: Path,
    title: str,
    at: str,
    pods: list,
    *,
    present: dict | None = None,
    connections=(),
    log: str | None = None,
) -> Evidence:
    """A bundle as the kit's own capture leaves it: everything up to an instant of the tests' day."""
    moment = parse_rfc3339(day(at))
    with staging(folder / (title if title.endswith(".zip") else f"{title}.incident"), force=False) as stage:
        raw = stage / "raw"
        files = {
            "kubernetes/pods.json": {"kind": "List", "items": pods},
            "rabbitmq/connections.json": list(connections),
            "rabbitmq/nodes.json": [{"name": "rabbit@a", "running": True, "mem_used": 1}],
        }
        if log is not None:
            (raw / "rabbitmq").mkdir(parents=True)
            (raw / "rabbitmq" / "rabbit@a.log").write_text(log)
        if present is not None:
            files["present.json"] = {"listed_at": moment - 10**9, "pods": present}
        for path, content in files.items():
            (raw / path).parent.mkdir(parents=True, exist_ok=True)
            (raw / path).write_text(json.dumps(content))
        window = Window(start=parse_rfc3339(day("09:00:00")), end=moment)
        context = Context(cluster="test", window=window, captured_at=moment, profile=Profile(), imported=False)
        asked = [
            {"source": "kubernetes", "what": "kubernetes pods", "at": day(at), "answer": str(len(pods))},
            {"source": "rabbitmq", "what": "rabbitmq", "at": day(at), "answer": str(len(connections))},
        ]
        path = build_bundle(
            stage,
            context,
            folder / (title if title.endswith(".zip") else f"{title}.incident"),
            asked=asked,
            force=False,
        )
    return read_evidence(path)


def name(port: int) -> str:
    return f"{ADDRESS}:{port} -> 10.0.0.1:5672"


def connection(port: int, at: str) -> dict:
    return {
        "name": name(port), "node": "rabbit@a", "peer_host": ADDRESS, "peer_port": port,
        "connected_at": parse_rfc3339(day(at)) // 10**6, "state": "running", "channels": 1,
    }  # fmt: skip


OLD = pod("old", ip=ADDRESS, created="09:00:00")
HEIR = pod("heir", ip=ADDRESS, created="10:00:00")
OTHER = pod("other", ip="10.1.0.8", created="09:00:00")


def matches(story: dict) -> set[tuple[str, str]]:
    return set(story["rabbit"][["connection", "match"]].itertuples(index=False, name=None))


def test_a_pod_that_a_later_capture_does_not_list_leaves_its_address_to_the_next(tmp_path):
    first = captured(tmp_path, "first", "09:30:00", [OLD, OTHER], connections=[connection(5100, "09:10:00")])
    later = captured(tmp_path, "later", "10:30:00", [HEIR, OTHER], connections=[connection(5200, "10:10:00")])
    assert matches(trace("old", first, later)) == {(name(5100), "pod_ip")}
    assert matches(trace("heir", first, later)) == {(name(5200), "pod_ip")}
    assert matches(trace("old", later, first)) == matches(trace("old", first, later))


def test_what_people_collected_by_hand_may_be_a_part_and_ends_no_pod_until_the_next_has_its_address(tmp_path):
    first = captured(tmp_path, "first", "09:30:00", [OLD], connections=[connection(5100, "09:10:00")])
    opened = [connection(5200, "10:10:00"), connection(5201, "09:50:00")]
    later = bundle(
        tmp_path, {"kubernetes/pods.json": [HEIR], "rabbitmq/connections.json": opened}, start=day("09:30:00")
    )
    assert matches(trace("heir", first, later)) == {(name(5200), "pod_ip")}
    assert matches(trace("old", first, later)) == {(name(5100), "pod_ip"), (name(5201), "ambiguous")}


def test_a_snapshot_that_stores_a_pod_no_more_still_knows_that_it_was_there(tmp_path):
    first = captured(tmp_path, "first", "09:30:00", [OLD, OTHER])
    second = captured(tmp_path, "second", "09:50:00", [], present={"shop": ["uid-shop-old", "uid-shop-other"]})
    third = captured(tmp_path, "third", "10:30:00", [HEIR], present={"shop": ["uid-shop-heir", "uid-shop-other"]},
                     connections=[connection(5200, "10:10:00")])  # fmt: skip
    identity = trace("old", first, second, third)["identity"]
    assert identity["last_seen"] == parse_rfc3339(day("09:50:00")) - 10**9
    assert matches(trace("heir", first, second, third)) == {(name(5200), "pod_ip")}


def test_a_connection_that_a_later_whole_list_has_no_more_was_closed_by_then(tmp_path):
    stays = connection(5200, "09:10:00")
    first = captured(tmp_path, "first", "09:30:00", [OLD], connections=[connection(5100, "09:10:00"), stays])
    later = captured(tmp_path, "later", "10:30:00", [OLD], connections=[stays])
    rows = trace("old", first, later)["rabbit"].set_index("peer_port")
    assert rows.loc[5100, "closed_at"].value == parse_rfc3339(day("10:30:00"))
    assert "not in the list of connections" in rows.loc[5100, "close_reason"]
    assert rows.loc[5200, "state"] == "running"
    assert trace("old", first, later)["rabbit_summary"]["open"] == 1
    # What one user or a hand saw may be a part, and ends nothing.
    by_hand = bundle(tmp_path, {"kubernetes/pods.json": [OLD], "rabbitmq/connections.json": [stays]})
    assert trace("old", first, by_hand)["rabbit_summary"]["open"] == 2


def test_a_store_of_snapshots_is_read_as_one(tmp_path):
    """None of them alone knows the pods: each holds only what is new in it."""
    listed = {"shop": ["uid-shop-old", "uid-shop-other"]}
    opened, moved = connection(5100, "09:10:00"), connection(5200, "10:10:00")
    captured(tmp_path, "20261120T093000Z.zip", "09:30:00", [OLD, OTHER], present=listed, connections=[opened])
    captured(tmp_path, "20261120T095000Z.zip", "09:50:00", [], present=listed, connections=[opened])
    later = {"shop": ["uid-shop-heir", "uid-shop-other"]}
    captured(tmp_path, "20261120T103000Z.zip", "10:30:00", [HEIR], present=later, connections=[moved])

    def ask(*words: str) -> list[dict]:
        ran = CliRunner().invoke(app, [*words, str(tmp_path), "--output", "json"])
        assert ran.exit_code in (0, 3), ran.output
        return json.loads(ran.stdout)

    [row] = ask("rabbit", "old")["rows"]
    assert (row["peer_port"], row["match"], row["closed_at"]) == (5100, "pod_ip", "2026-11-20T10:30:00.000000000Z")
    assert [row["pod"] for row in ask("rabbit-node", "rabbit@a")["rows"]] == ["old", "heir"]
    assert ask("whois", ADDRESS, "--at", day("10:15:00"))["rows"][0]["pod"] == "heir"
    assert ask("whois", ADDRESS, "--at", day("09:40:00"))["rows"][0]["pod"] == "old"
    assert ask("trace", "old")["identity"]["last_seen"] == "2026-11-20T09:49:59.000000000Z"
    refused = CliRunner().invoke(app, ["findings", str(tmp_path)])
    assert refused.exit_code != 0


def test_an_end_that_the_broker_did_not_log_is_known_from_its_list(tmp_path):
    """When thousands leave at once, the broker drops records of its own log and says so."""

    def opened(port: int) -> str:
        return f"2026-11-20 09:10:00.100000+00:00 [info] <0.{port}.0> accepting AMQP connection <0.{port}.0> ({name(port)})"

    log = "\n".join([
        opened(5100), opened(5200),
        "2026-11-20 09:15:00.100000+00:00 [notice] <unknown pid> Handler rmq_1_file_1 switched from  sync to drop mode",
        "2026-11-20 09:15:04.000000+00:00 [notice] <unknown pid> Handler rmq_1_file_1 switched from  drop to sync mode",
    ])  # fmt: skip
    evidence = captured(tmp_path, "one", "09:30:00", [OLD], connections=[connection(5200, "09:10:00")], log=log)
    rows = trace("old", evidence)["rabbit"].set_index("peer_port")
    assert rows.loc[5100, "closed_at"].value == parse_rfc3339(day("09:15:04"))
    assert rows.loc[5200, "state"] == "running"
    assert [gap["from"] for gap in evidence.manifest.gaps if "dropped records" in gap["reason"]]
