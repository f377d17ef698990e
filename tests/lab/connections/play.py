"""The course of events, in about three minutes, with captures by the kit before, during and after."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import credentials
from tests.lab.connections import broker, pods
from tests.lab.connections.pods import BY_NAME, CASES, FOLDER, HEIRS, NAMESPACE, RELAY_PODS, Case
from tests.lab.scenario.lab import LONGEST_SECONDS, Lab, until
from tests.lab.servers.kubernetes.settings import POD_ADDRESSES
from tests.lab.servers.rabbitmq.settings import NODES
from tests.lab.services.images import Registry, _layer

KIT = Path(sys.executable).with_name("incident-kit")
TRUTH = FOLDER / "truth"
BUNDLES = FOLDER / "bundles"
FIRST, SECOND, THIRD = NODES
REDACTION_KEY = "ab" * 32
PATIENTLY = f"--timeout={LONGEST_SECONDS}s"


@dataclass
class Played:
    """What the scenario leaves behind.

    Attributes:
        started: when it began (ns).
        captures: output of each capture, by its name.
        moments: instants (ns) at which something is asked, by name.
        addresses: addresses that had two holders, by the first one's case.
        heirs: name of the second holder, by the first one's case.
    """

    started: int = 0
    captures: dict[str, dict[str, Any]] = field(default_factory=dict)
    moments: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    heirs: dict[str, str] = field(default_factory=dict)


def play(lab: Lab) -> Played:
    """Play it all; what it leaves is also written to ``played.json``."""
    story = _Story(lab)
    try:
        story.run()
    except BaseException:
        story.show_logs()
        raise
    finally:
        story.make_whole()
    (FOLDER / "played.json").write_text(json.dumps(vars(story.played), indent=1))
    return story.played


def journals() -> Iterator[dict[str, Any]]:
    """Every event of every process, in order of files."""
    for path in sorted((TRUTH / "journals").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            if line.endswith("}"):
                yield json.loads(line)


class _Story:
    def __init__(self, lab: Lab) -> None:
        self.lab, self.played = lab, Played()
        self.gateway = lab.facts["kubernetes"]["gateway"]
        self.relays: dict[str, str] = {}

    def say(self, words: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)

    # -- acts --------------------------------------------------------------------------------------

    def run(self) -> None:
        """All acts in order."""
        self.prepare()
        self.deploy()
        self.reuse("finished", "heir-of-finished", finished=True)
        self.reuse("gone-early", "heir-of-gone-early")
        self.wait_until_steady()
        self.capture("before")
        self.faults()
        self.capture("partial", profile="api", user="mgmt")
        with broker.frozen(FIRST, seconds=40):
            self.played.moments["frozen"] = time.time_ns()
            self.capture("frozen", profile="hasty")
        self.say("rabbit1 goes on")
        self.played.moments["restarted"] = time.time_ns()
        broker.restart(THIRD)
        self.say("rabbit3 restarted")
        self.wait_for_clients()
        broker.pause(6)  # the statistics of new connections come with the next round of five seconds
        self.capture("after")

    def prepare(self) -> None:
        """Empty namespace, queues and truth; images of two versions."""
        self.lab.take_away(NAMESPACE)
        shutil.rmtree(FOLDER, ignore_errors=True)
        for folder in (TRUTH / "journals", TRUTH / "orders", BUNDLES):
            folder.mkdir(parents=True)
        self.played.started = time.time_ns()
        self.lab.make_anew(NAMESPACE)
        for queue in self.lab.rabbit("/queues/shop", user="admin"):
            if queue["name"].startswith("story."):
                self.lab.rabbit(f"/queues/shop/{queue['name']}", user="admin", method="DELETE")
        for version in ("1", "2", "latest"):
            self.push(version, version)
        password = self.lab.facts["rabbitmq"]["users"]["app"]
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "broker", "namespace": NAMESPACE}}
        self.lab.apply({**secret, "stringData": {"password": password}})

    def push(self, tag: str, content: str) -> None:
        """Push the client's image; another content is another digest."""
        client = (Path(__file__).parent / "client.py").read_bytes()
        layer = _layer({"app/client.py": client, "app/content": content.encode()})
        Registry(self.lab.facts["kubernetes"]["registry"]).push("connections", tag, layer, {})

    def deploy(self) -> None:
        """Relays, then everybody; the node's time-out and proxy protocol are set while those connect who need them."""
        self.apply(*RELAY_PODS)
        until(lambda: len(self.started("listening")) == len(RELAY_PODS), seconds=90, what="relays")
        for case in RELAY_PODS:
            address = self.gateway if case.host_network else self.address(case.name)
            self.relays[case.name] = address
        with broker.settings(THIRD, consumer_timeout=4000, channel_tick_interval=1500):
            with broker.settings(FIRST, proxy_protocol="true"):
                self.apply(BY_NAME["addressed"], BY_NAME["forgets-to-acknowledge"])
                self.wait_connected("addressed", "forgets-to-acknowledge")
            late = ("addressed", "forgets-to-acknowledge", *HEIRS)
            self.apply(*(case for case in CASES if case.name not in late))
            self.wait_connected(*(case.name for case in CASES if case.name not in late))
            victim = sorted({row["pod"] for row in journals() if row["case"] == "named"})[0]
            self.apply(pods.impostor(victim))
            self.wait_connected(pods.IMPOSTOR)
            until(
                lambda: "forgets-to-acknowledge" in self.started("without channel"),
                seconds=60,
                what="the acknowledgement's time-out",
            )
        self.new_versions()

    def new_versions(self) -> None:
        """One of two pods gets version 2; a tag moves and one of two pods is made anew."""
        image = json.dumps([{"op": "replace", "path": "/spec/template/spec/containers/0/image",
                             "value": "registry.lab/connections:2"}])  # fmt: skip
        self.lab.kubectl("-n", NAMESPACE, "patch", "statefulset", "two-versions", "--type=json", "-p", image)
        self.push("latest", "moved")
        self.lab.kubectl("-n", NAMESPACE, "delete", "pod", "moved-1", "--wait=false")

    def reuse(self, first: str, heir: str, *, finished: bool = False) -> None:
        """Another pod gets the address of one that has finished, or that is deleted."""
        if finished:
            until(lambda: self.phase(first) == "Succeeded", seconds=90, what=f"{first} finished")
        pod = self.pods(first)[0]
        address = pod["status"]["podIP"]
        if not finished:
            self.lab.kubectl("-n", NAMESPACE, "delete", "pod", pod["metadata"]["name"], "--wait=true", PATIENTLY)
        taker = heir
        for _attempt in range(5):
            # The network may give it away by itself, which the taker's status tells some time later: also a reuse.
            until(
                lambda: address not in self.taken() or self.takers(address, pod), seconds=60, what=f"{address} let go"
            )
            if takers := self.takers(address, pod):
                taker = takers[0]
                self.apply(BY_NAME[heir])
                break
            self.next_address(address)
            self.apply(BY_NAME[heir])
            until(lambda: self.pods(heir)[0]["status"].get("podIP"), seconds=60, what=f"address of {heir}")
            if self.address(heir) == address:
                break
            self.lab.kubectl("-n", NAMESPACE, "delete", "pod", heir, "--wait=true", PATIENTLY)
        else:
            raise RuntimeError(f"{heir} did not get {address}: other pods took it each time")
        self.played.addresses[first] = address
        self.played.heirs[first] = taker
        self.wait_connected(heir)
        self.say(f"{taker} has {address}, which {first} had")

    def faults(self) -> None:
        """An alarm, a lost consumer, a deleted pod and a crashed node; a capture while all of it lasts."""
        self.order("closes-channel", "close channel")
        self.reuse("gone-late", "heir-of-gone-late")
        self.let_crashes_be_seen()
        for name in ("closes-channel", "forgets-to-acknowledge"):
            until(lambda name=name: self.is_without_channel(name), seconds=60, what=f"{name} without channel")  # type: ignore[misc]
        before = broker.log_size(FIRST)
        with broker.memory_alarm(FIRST):
            until(lambda: broker.said_of_alarm(FIRST, before), seconds=30, what="the alarm in the log")
            self.played.moments["crash"] = time.time_ns()
            broker.crash(SECOND)
            self.say("rabbit2 killed")
            until(self.is_shown, seconds=60, what="alarm and dead node in the list of nodes", every=1.0)
            broker.pause(6)
            self.played.moments["down"] = time.time_ns()
            self.capture("during")
        broker.bring_back(SECOND)
        self.say("rabbit2 is back")

    def let_crashes_be_seen(self) -> None:
        """Wait until both loops are loops, and the last end of the one for memory is called so; it rests from then on.

        Now and then the runtime misses that the kernel killed a container for its memory, and the kubelet calls it Error:
        the status that is captured has only the last end, so that one is not left to chance.
        """
        order = self.order_file("hoarding")

        def at_rest() -> bool:
            order.unlink(missing_ok=True)
            if self.restarted("crashing")[0] < 3:
                return False
            count, reason = self.restarted("hoarding")
            if count < 3 or reason != "OOMKilled":
                return False
            self.order("hoarding", "rest")
            broker.pause(2)  # it reads orders five times a second, and may have been killed meanwhile
            return self.restarted("hoarding") == (count, reason)

        until(at_rest, seconds=120, what="both loops, and OOMKilled by the kubelet's word")

    def is_shown(self) -> bool:
        """Whether the management API tells of the alarm and of the killed node: it is some seconds behind."""
        nodes = {row["name"]: row for row in self.lab.rabbit("/nodes")}
        return bool(nodes[FIRST.name].get("mem_alarm")) and nodes[SECOND.name]["running"] is False

    def is_without_channel(self, app: str) -> bool:
        """Whether the management API, which is some seconds behind, lists a pod's connection without channels."""
        address = self.address(app)
        found = [row for row in self.lab.rabbit("/connections") if row.get("peer_host") == address]
        return bool(found) and all(row.get("channels") == 0 for row in found)

    # -- captures ----------------------------------------------------------------------------------

    def capture(self, name: str, *, profile: str = "story", user: str = "mon") -> None:
        """Capture everything so far with the kit's own command and ordinary credentials."""
        bundle = BUNDLES / f"{name}.incident"
        command = [
            KIT,
            "capture",
            "--profile",
            profile,
            "--from",
            credentials.instant(self.played.started),
            "-o",
            bundle,
        ]
        started = time.monotonic()
        done = subprocess.run(
            command,
            env=self.environment(user),
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        took = time.monotonic() - started
        self.played.captures[name] = {"exit": done.returncode, "said": done.stderr, "seconds": round(took, 1)}
        self.say(f"capture {name}: exit {done.returncode} in {took:.1f} s")
        if done.returncode not in (0, 3):
            raise RuntimeError(f"capture {name}: exit {done.returncode}\n{done.stderr}")

    def environment(self, user: str) -> dict[str, str]:
        """A profile and credentials for one user of the broker; a reader's kubeconfig."""
        urls = ", ".join(f'"{node["management_url"]}"' for node in self.lab.facts["rabbitmq"]["nodes"])
        logs = ", ".join(f'"{node.log}"' for node in NODES)
        # A broker that is slow with thirty clients shall not look like a frozen one: only there the kit's own time-out holds.
        patient = "timeout_seconds = 60\n"
        more = {"api": patient, "story": f"{patient}logs = [{logs}]\n", "hasty": f"logs = [{logs}]\n"}
        profile = '[profiles.{name}]\ncluster = "lab"\n[profiles.{name}.kubernetes]\nnamespaces = ["{namespace}"]\n[profiles.{name}.argocd]\nenabled = false\n[profiles.{name}.rabbitmq]\nurls = [{urls}]\n'
        texts = [profile.format(name=name, namespace=NAMESPACE, urls=urls) + lines for name, lines in more.items()]
        (FOLDER / "incident-kit.toml").write_text("".join(texts))
        config = FOLDER / "kubeconfig"
        if not config.exists():
            credentials.kubeconfig(self.lab, FOLDER)
        return {
            **os.environ,
            "KUBECONFIG": str(config),
            "INCIDENT_KIT_REDACTION_KEY": REDACTION_KEY,
            "INCIDENT_KIT_RABBITMQ_USER": user,
            "INCIDENT_KIT_RABBITMQ_PASSWORD": self.lab.facts["rabbitmq"]["users"][user],
        }

    # -- waiting and asking ------------------------------------------------------------------------

    def apply(self, *cases: Case) -> None:
        self.lab.apply(*(pods.manifest(case, self.gateway, self.relays) for case in cases))

    def pods(self, app: str) -> list[dict[str, Any]]:
        label = f"app={app}"
        return self.lab.objects("pods", "-l", label, namespace=NAMESPACE)

    def restarted(self, app: str) -> tuple[int, str | None]:
        """How often the container of an app's only pod has been restarted, and why its last instance ended."""
        [status] = self.pods(app)[0]["status"].get("containerStatuses") or [{"restartCount": 0}]
        return status["restartCount"], status.get("lastState", {}).get("terminated", {}).get("reason")

    @staticmethod
    def order_file(pod: str) -> Path:
        """Where a pod looks for what it is asked to do."""
        return TRUTH / "orders" / pod

    def order(self, pod: str, what: str) -> None:
        """Ask a pod to do something; the file is there as a whole or not at all."""
        part = TRUTH / f"{pod}.order"
        part.write_text(what)
        part.replace(self.order_file(pod))

    def phase(self, app: str) -> str:
        found = self.pods(app)
        return found[0]["status"]["phase"] if found else ""

    def address(self, app: str) -> str:
        address: str = self.pods(app)[0]["status"]["podIP"]
        return address

    @staticmethod
    def started(event: str) -> set[str]:
        """Pods whose journal has an event."""
        return {row["pod"] for row in journals() if row["event"] == event}

    def wait_connected(self, *cases: str) -> None:
        """Wait until every pod of these cases has been connected once."""
        missing: list[str] = []

        def all_there() -> bool:
            by_case: dict[str, set[str]] = {}
            for row in journals():
                if row["event"] == "connected":
                    by_case.setdefault(row["case"], set()).add(row["pod"])
            missing[:] = [
                name
                for name in cases
                if len(by_case.get(name, ())) < (BY_NAME[name].replicas if name in BY_NAME else 1)
            ]
            return not missing

        try:
            until(all_there, seconds=120, what="clients connected", every=0.5)
        except TimeoutError as error:
            raise TimeoutError(f"never connected: {', '.join(missing)}") from error
        self.say(f"{len(cases)} cases connected")

    def wait_until_steady(self) -> None:
        """The loop of crashes, the kill for memory and the new pods have happened."""

        def restarted() -> bool:
            return self.restarted("crashing")[0] >= 2 and self.restarted("hoarding")[0] >= 1

        def renewed() -> bool:
            images = {
                (pod["metadata"]["name"], status["image"].rpartition(":")[2])
                for pod in self.lab.objects("pods", namespace=NAMESPACE)
                for status in pod["status"].get("containerStatuses", [])
                if status["ready"]
            }
            names = {name for name, _ in images}
            return {"moved-0", "moved-1", "two-versions-0", "two-versions-1"} <= names and (
                len({tag for name, tag in images if name.startswith("two-versions")}) == 2
            )

        until(restarted, seconds=90, what="crash loop and kill for memory")
        until(renewed, seconds=60, what="new versions")
        broker.pause(5)

    def wait_for_clients(self) -> None:
        """Every client that stays is connected again: nobody but the crashing ones ended after connecting last."""

        def settled() -> bool:
            living = {p["metadata"]["uid"] for p in self.lab.objects("pods", namespace=NAMESPACE)}
            last: dict[str, dict[str, Any]] = {}
            for row in sorted(journals(), key=lambda row: row["at"]):
                if row["event"] in ("connected", "ended"):
                    last[row["uid"]] = row
            restless = ("flickering", "crashing", "hoarding", "finished")
            unsettled[:] = [
                row["pod"]
                for uid, row in last.items()
                if uid in living and row["event"] == "ended" and row["case"] not in restless
            ]
            return not unsettled

        unsettled: list[str] = []
        try:
            until(settled, seconds=60, what="clients connected again", every=1.0)
        except TimeoutError as error:
            raise TimeoutError(f"not connected again: {', '.join(unsettled)}") from error

    def takers(self, address: str, first: dict[str, Any]) -> list[str]:
        """Pods of ours that have an address after its first holder."""
        found = [p for p in self.lab.objects("pods", namespace=NAMESPACE) if p["status"].get("podIP") == address]
        return [p["metadata"]["name"] for p in found if p["metadata"]["uid"] != first["metadata"]["uid"]]

    @staticmethod
    def taken() -> set[str]:
        return {path.name for path in (POD_ADDRESSES / "lab").iterdir()}

    @staticmethod
    def next_address(address: str) -> None:
        """Make the pod network hand out this address next."""
        network, last = address.rsplit(".", 1)
        for pointer in (POD_ADDRESSES / "lab").glob("last_reserved_ip.*"):
            pointer.write_text(f"{network}.{int(last) - 1}")

    def make_whole(self) -> None:
        """Whatever happened: every node of the broker runs again, and thirty pods no longer load the machine."""
        broker.bring_back(*NODES)
        self.lab.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false", check=False)

    def show_logs(self) -> None:
        """The ends of the brokers' logs and the pods' states, for whoever reads a failure."""
        for node in NODES:
            print(f"--- {node.name}\n" + "\n".join(Path(node.log).read_text(errors="replace").splitlines()[-15:]))
        print(self.lab.kubectl("-n", NAMESPACE, "get", "pods", "-o", "wide", check=False))
