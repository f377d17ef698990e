"""Who had an address when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incident_kit.answers.whois import whois
from incident_kit.correlate.pods.holdings import holdings_of
from incident_kit.correlate.pods.ledger import Ledger, ip_ledger
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.window import parse_rfc3339
from tests.identity.bundles import bundle, day, node, pod

SECOND = 1_000_000_000
IPS = ["10.1.0.5", "10.1.0.6", "fd00::7"]


@st.composite
def lives(draw):
    """Pods with any overlap of addresses and times, live, finished and gone."""
    found = []
    for number in range(draw(st.integers(0, 8))):
        begin = draw(st.integers(0, 50)) * SECOND
        life = Lifetime("shop", f"pod-{number}", f"uid-{number}", captured=draw(st.booleans()))
        life.learn("started_at", begin, "test")
        if draw(st.booleans()):
            life.learn("finished_at", begin + draw(st.integers(0, 20)) * SECOND, "test")
        life.learn("pod_ips", draw(st.lists(st.sampled_from(IPS), max_size=2, unique=True)), "test")
        life.learn("host_network", draw(st.sampled_from([False, False, True])), "test")
        life.sight(begin, "test")
        found.append(life)
    return found


INSTANTS = st.integers(-1, 80).map(lambda n: n * SECOND // 2)


@given(lives(), st.sampled_from(IPS), INSTANTS)
def test_a_single_answer_is_the_only_pod_and_never_one_that_shares_its_node(found, ip, instant):
    ledger = Ledger(holdings_of(found))
    single = ledger.single(ip, instant)
    holders = {holding.life.pod_uid for holding in ledger.holdings if holding.ip == ip and holding.covers(instant)}
    if single is not None:
        assert holders == {single.life.pod_uid} and not single.host_network
    elif len(holders) == 1:
        assert any(h.host_network for h in ledger.holders(ip, instant))


@given(lives(), st.sampled_from(IPS), INSTANTS)
def test_the_join_in_time_equals_a_double_loop(found, ip, instant):
    ledger = Ledger(holdings_of(found))
    naive = [
        h
        for h in ledger.holdings
        if h.ip == ip and (h.begin is None or h.begin <= instant) and (h.end is None or instant < h.end)
    ]
    assert ledger.holders(ip, instant) == naive


@given(lives(), st.sampled_from(IPS))
def test_a_live_pods_hold_is_never_cut_short(found, ip):
    ledger = Ledger(holdings_of(found))
    for holding in ledger.of(ip):
        if holding.life.captured and holding.life.value("finished_at") is None:
            assert holding.end is None


def ask(tmp_path, files, ip, at=None):
    frame = whois(ip, bundle(tmp_path, files), at=parse_rfc3339(f"2026-11-20T{at}Z") if at else None)
    return [(row["pod"] if isinstance(row["pod"], str) else None, row["reason"]) for row in frame.to_dict("records")]


REUSED = {"kubernetes/pods.json": [
    pod("job-1", ip="10.1.0.5", created="09:00:00", finished="10:05:00"), pod("api", ip="10.1.0.5", created="10:06:00")]}  # fmt: skip


def test_a_reused_address_has_each_pod_in_its_time(tmp_path):
    assert [name for name, _ in ask(tmp_path, REUSED, "10.1.0.5")] == ["job-1", "api"]


def test_at_an_instant_only_the_holder_then_is_told(tmp_path):
    assert [name for name, _ in ask(tmp_path, REUSED, "10.1.0.5", "10:30:00")] == ["api"]


def test_between_two_holders_nobody_had_it_and_the_answer_names_the_others(tmp_path):
    [(name, reason)] = ask(tmp_path, REUSED, "10.1.0.5", "10:05:30")
    assert name is None and "api" in reason and "job-1" in reason


def test_two_live_pods_with_one_address_are_several_with_the_reason(tmp_path):
    files = {"kubernetes/pods.json": [pod("a", ip="10.1.0.5"), pod("b", ip="10.1.0.5")]}
    rows = ask(tmp_path, files, "10.1.0.5")
    assert [name for name, _ in rows] == ["a", "b"] and all(reason.startswith("several") for _, reason in rows)


def test_a_nodes_address_has_its_host_network_pods_or_one_row_without_pod(tmp_path):
    nodes = [node("node-1", "10.0.0.4")]
    files = {"kubernetes/pods.json": [pod("agent", ip="10.0.0.4", host_network=True)], "kubernetes/nodes.json": nodes}
    assert [name for name, _ in ask(tmp_path, files, "10.0.0.4")] == ["agent"]


def test_a_nodes_address_without_such_pods_is_one_row_without_pod(tmp_path):
    files = {"kubernetes/pods.json": [pod("a", ip="10.1.0.5", host_ip="10.0.0.4")]}
    [(name, reason)] = ask(tmp_path, files, "10.0.0.4")
    assert name is None and "node-1" in reason


def test_an_address_in_a_nodes_pod_range_says_so(tmp_path):
    files = {"kubernetes/pods.json": [pod("a")], "kubernetes/nodes.json": [node("node-1", "10.0.0.4", "10.1.0.0/24")]}
    [(name, reason)] = ask(tmp_path, files, "10.1.0.77")
    assert name is None and "pod range 10.1.0.0/24 of node node-1" in reason


def test_a_pod_past_its_deletion_time_that_is_still_there_keeps_its_address(tmp_path):
    stuck = pod("stuck", ip="10.1.0.5")
    stuck["metadata"]["deletionTimestamp"] = "2026-11-20T10:20:00Z"
    files = {"kubernetes/pods.json": [stuck, pod("next", ip="10.1.0.5", created="10:30:00")]}
    assert [name for name, _ in ask(tmp_path, files, "10.1.0.5", "10:40:00")] == ["stuck", "next"]


def sandbox_bundle(folder, document, events=()):
    return bundle(folder, {"kubernetes/pods.json": [document], "kubernetes/events.json": list(events)})


def test_an_address_is_known_only_since_the_sandbox_was_made_anew(tmp_path):
    event = {"kind": "Event", "metadata": {"name": "e", "namespace": "shop", "uid": "e"}, "reason": "SandboxChanged",
             "message": "Pod sandbox changed, it will be killed and re-created.", "lastTimestamp": day("10:20:00"),
             "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "api", "uid": "uid-shop-api"}}  # fmt: skip
    evidence = sandbox_bundle(tmp_path, pod("api", ip="10.1.0.5"), [event])
    ledger = ip_ledger(evidence)
    assert ledger.single("10.1.0.5", parse_rfc3339(day("10:10:00"))) is None
    assert ledger.single("10.1.0.5", parse_rfc3339(day("10:30:00"))).life.pod == "api"
    [row] = whois("10.1.0.5", evidence, at=parse_rfc3339(day("10:10:00"))).to_dict("records")
    assert row["pod"] == "api" and row["reason"].startswith("not known")


def test_a_sandbox_that_was_ready_after_containers_had_ended_is_a_new_one(tmp_path):
    document = pod("api", ip="10.1.0.5")
    document["status"]["conditions"] = [
        {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": day("10:20:05")}
    ]
    status = document["status"]["containerStatuses"][0]
    status["restartCount"] = 1
    status["lastState"] = {"terminated": {"exitCode": 255, "finishedAt": day("10:19:00"), "startedAt": day("09:00:01")}}
    [holding] = ip_ledger(sandbox_bundle(tmp_path, document)).of("10.1.0.5")
    assert (holding.begin, holding.possible_from) == (parse_rfc3339(day("10:19:00")), parse_rfc3339(day("09:00:00")))


def test_a_restart_after_the_sandbox_was_ready_changes_no_address(tmp_path):
    document = pod("api", ip="10.1.0.5")
    document["status"]["conditions"] = [
        {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": day("09:00:02")}
    ]
    status = document["status"]["containerStatuses"][0]
    status["restartCount"] = 1
    status["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": day("10:19:00"), "startedAt": day("09:00:01")}}
    [holding] = ip_ledger(sandbox_bundle(tmp_path, document)).of("10.1.0.5")
    assert (holding.begin, holding.possible_from) == (parse_rfc3339(day("09:00:00")), None)
