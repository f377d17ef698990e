"""A small world of pods, reused addresses, nodes, proxies and names: a single answer is always the right one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incident_kit.correlate.pods.holdings import holdings_of
from incident_kit.correlate.pods.ledger import Ledger
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.owners import match_connections

SECOND = 1_000_000_000
NODE = "10.0.0.4"


@st.composite
def worlds(draw):
    """Lives as captured, and connections with the pod that really opened each.

    Addresses are exclusive in time, but the API's times are whole seconds; some pods were gone before the capture,
    with or without their object. A pod may name its connections after itself, by a constant, not at all, or, from its
    own address, after one pod that had another address.
    """
    pods, lives = [], []
    for ip in ("10.1.0.5", "10.1.0.6"):
        time = draw(st.integers(0, 2 * SECOND))
        for number in range(draw(st.integers(1, 4))):
            begin = time + draw(st.integers(1, 3 * SECOND))
            end = begin + draw(st.integers(1, 20 * SECOND))
            time = end
            pods.append((f"app-{ip[-1]}-{number}", ip, begin, end))
    for name, ip, begin, end in pods:
        if draw(st.integers(0, 4)) == 0:
            continue  # deleted before anybody looked
        life = Lifetime("shop", name, f"uid-{name}", captured=True)
        life.learn("created_at", begin - begin % SECOND, "pod object")
        life.learn("started_at", begin - begin % SECOND, "pod object")
        life.learn("pod_ips", [ip], "pod object")
        last = all(other[2] <= begin for other in pods if other[1] == ip)
        if not last or draw(st.booleans()):
            life.learn("finished_at", end - end % SECOND, "pod object")
        life.sight(begin, "pod object")
        lives.append(life)
    agent = Lifetime("kube-system", "agent", "uid-agent", captured=True)
    agent.learn("host_network", True, "pod object")
    agent.learn("pod_ips", [NODE], "pod object")
    proxy = Lifetime("shop", "amqp-proxy-0", "uid-proxy", captured=True)
    proxy.learn("pod_ips", ["10.1.0.9"], "pod object")
    truth = []
    for port in range(draw(st.integers(1, 10))):
        name, ip, begin, end = draw(st.sampled_from(pods))
        route = draw(st.sampled_from(["direct", "direct", "node", "proxy", "outside"]))
        peer = {"direct": ip, "node": NODE, "proxy": "10.1.0.9", "outside": "192.168.3.3"}[route]
        names = [name, None, "worker"]
        if route == "direct" and any(life.pod == name for life in lives):
            names.append(next(other[0] for other in pods if other[1] != ip))
        opened = draw(st.integers(begin, end - 1))
        truth.append((name, Connection(connection=f"{peer}:{4000 + port} -> 10.9.9.9:5672", peer_host=peer, peer_port=4000 + port,
                                       connected_at=opened, first_seen_at=opened, user_provided_name=draw(st.sampled_from(names)))))  # fmt: skip
    return [*lives, agent, proxy], truth


@given(worlds())
def test_a_single_answer_is_the_pod_that_opened_the_connection(world):
    lives, truth = world
    ledger = Ledger(holdings_of(lives), {NODE: "node-1"})
    for (opener, _), matched in zip(truth, match_connections([c for _, c in truth], lives, ledger), strict=True):
        if matched.match.single:
            assert {life.pod for life in matched.match.lives} == {opener}, matched.match.reason


@given(worlds())
def test_an_honest_name_of_a_captured_pod_is_always_answered_or_stated_as_ambiguous(world):
    lives, truth = world
    ledger = Ledger(holdings_of(lives), {NODE: "node-1"})
    known = {life.pod for life in lives}
    for (opener, connection), matched in zip(
        truth, match_connections([c for _, c in truth], lives, ledger), strict=True
    ):
        if opener in known and connection.user_provided_name == opener:
            assert matched.match.kind in ("client_name", "ambiguous") and matched.match.concerns("shop", opener)
