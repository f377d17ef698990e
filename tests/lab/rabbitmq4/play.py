"""The course of events: good days and bad ones, each told by the kit's own capture and by the API's whole answers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

import httpx

from tests.lab.credentials import instant
from tests.lab.rabbitmq4 import cluster
from tests.lab.rabbitmq4.pods import CLIENTS, Client
from tests.lab.rabbitmq4.settings import FOLDER, NODES, STATE, VENV, Node
from tests.lab.rabbitmq4.truth import Watch
from tests.lab.scenario.lab import until
from tests.lab.servers.folders import password

PLAY = FOLDER / "play"
JOURNAL = PLAY / "journal.jsonl"
KIT = Path(sys.executable).with_name("incident-kit")
_PORT_OF = {"amqp091": "amqp", "amqp10": "amqp", "silent": "amqp", "probe": "amqp"}
_STAYING = [client for client in CLIENTS if client.settings.get("returns")]
FIRST, SECOND, THIRD = NODES
#: Answers of the management API that are kept whole.
ANSWERS = (
    "whoami", "overview", "nodes", "connections", "connections?disable_stats=true&page=1&page_size=500", "channels",
    "consumers", "queues", "queues/detailed", "stream/connections", "stream/consumers", "auth/attempts/hare1@localhost",
    "auth/attempts/hare1@localhost/source", "health/checks/alarms", "health/checks/node-is-quorum-critical", "vhosts",
)  # fmt: skip


class Play:
    """One play on a running cluster."""

    def __init__(self) -> None:
        self.started = time.time_ns()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.watch = Watch(self._pid_of)
        self.captures: dict[str, int] = {}
        self.moments: dict[str, int] = {}

    def run(self) -> None:
        """Everything, in about six minutes; whatever happens, no client of ours is left."""
        shutil.rmtree(PLAY, ignore_errors=True)
        PLAY.mkdir(parents=True)
        for node in NODES:
            for log in node.log.parent.glob(f"{node.name}.log*"):
                log.write_bytes(b"")
        self.watch.start()
        try:
            self._prepare()
            self._good_day()
            self._bad_clients()
            self._alarms()
            self._nodes()
            self._khepri()
        finally:
            for process in self.processes.values():
                process.kill()
                process.wait(timeout=20)
            self.watch.end(PLAY / "truth.jsonl")
            played = {"started": self.started, "captures": self.captures, "moments": self.moments}
            (PLAY / "played.json").write_text(json.dumps(played, indent=1))

    # -- acts --------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        for node in NODES:
            node.control("eval", "application:set_env(rabbit, channel_tick_interval, 2000), "
                         "application:set_env(rabbit, track_auth_attempt_source, true).")  # fmt: skip
        FIRST.control("eval", 'application:set_env(rabbit, consumer_timeout, 8000), rabbit_policy:set(<<"shop">>, '
                      '<<"forgotten">>, <<"^forgotten$">>, [{<<"consumer-timeout">>, 8000}], 0, <<"queues">>, <<"lab">>).')  # fmt: skip

    def _good_day(self) -> None:
        for client in CLIENTS:
            if not client.case.startswith(("begins", "looks", "refused", "wrong", "novhost")):
                self.spawn(client)
                time.sleep(0.5)  # sixty interpreters at once are a minute of everybody's time
        until(lambda: self.working(_STAYING), seconds=90, what="clients at work", every=0.5)
        self.say("clients at work")
        time.sleep(6)  # statistics of new connections come with the next round of five seconds
        self.answers("quiet")
        self.capture("quiet")
        for user in ("mgmt", "plain"):
            self.capture(f"as-{user}", user=user)

    def _bad_clients(self) -> None:
        for client in CLIENTS:
            if client.case.startswith(("begins", "looks", "refused", "wrong", "novhost")):
                self.spawn(client)
            elif client.case.startswith("dies-"):
                self.processes[client.case].send_signal(signal.SIGKILL)
            elif client.case.startswith("stalls-"):
                self.processes[client.case].send_signal(signal.SIGSTOP)
            elif client.case.startswith("leaves-"):
                self.processes[client.case].send_signal(signal.SIGTERM)
            elif client.case.startswith("forced-"):
                self.force(client)
        time.sleep(16)  # handshakes of 3 s, heartbeats of 3 s twice, an acknowledgement of 8 s
        self.answers("bad-clients")
        self.capture("bad-clients")

    def _alarms(self) -> None:
        SECOND.control("set_vm_memory_high_watermark", "absolute", "1MB")
        try:
            until(lambda: self.nodes()[SECOND.name].get("mem_alarm"), seconds=40, what="a memory alarm", every=1.0)
            THIRD.control("set_disk_free_limit", "100000GB")
            until(lambda: self.nodes()[THIRD.name].get("disk_free_alarm"), seconds=60, what="a disk alarm", every=1.0)
            time.sleep(4)
            self.answers("alarms")
            self.capture("alarms")
        finally:
            SECOND.control("set_vm_memory_high_watermark", "0.6")
            THIRD.control("set_disk_free_limit", "50MB")
        self.say("alarms over")

    def _nodes(self) -> None:
        self.moments["drained"] = time.time_ns()
        THIRD.control("drain", program="rabbitmq-upgrade", seconds=120)
        time.sleep(7)
        self.answers("drained")
        self.capture("drained")
        THIRD.control("revive", program="rabbitmq-upgrade")
        self.say("drained and revived")
        self.moments["killed"] = time.time_ns()
        cluster.kill(SECOND)
        until(lambda: self.nodes()[SECOND.name]["running"] is False, seconds=90, what="a dead node is told", every=1.0)
        time.sleep(6)
        self.answers("killed")
        self.capture("killed")
        self.bring_back(SECOND)
        until(lambda: self.working(_STAYING), seconds=60, what="clients at work again", every=0.5)
        self.moments["stopped"] = time.time_ns()
        cluster.stop([FIRST])
        until(lambda: self.nodes(SECOND)[FIRST.name]["running"] is False, seconds=90, what="a stop is told", every=1.0)
        self.capture("stopped")
        self.bring_back(FIRST)
        until(lambda: self.working(_STAYING), seconds=90, what="clients at work again", every=0.5)
        time.sleep(6)
        self.moments["frozen"] = time.time_ns()
        with cluster.frozen(FIRST, seconds=40):
            self.capture("frozen")
        time.sleep(6)
        self.answers("after")
        self.capture("after")

    def _khepri(self) -> None:
        FIRST.control("enable_feature_flag", "--experimental", "khepri_db", seconds=120)
        self.say("khepri enabled")
        self.moments["khepri killed"] = time.time_ns()
        cluster.kill(THIRD)
        until(lambda: self.nodes()[THIRD.name]["running"] is False, seconds=90, what="a dead node is told", every=1.0)
        time.sleep(6)
        self.answers("khepri-killed")
        self.capture("khepri-killed")
        self.bring_back(THIRD)
        until(lambda: self.working(_STAYING), seconds=60, what="clients at work again", every=0.5)
        self.moments["khepri frozen"] = time.time_ns()
        with cluster.frozen(SECOND, seconds=40):
            self.capture("khepri-frozen")
        time.sleep(6)
        self.answers("khepri")
        self.capture("khepri")

    # -- clients -----------------------------------------------------------------------------------

    def spawn(self, client: Client) -> None:
        """Start a pod's client."""
        protocol = _PORT_OF.get(client.protocol, client.protocol)
        first = client.node - 1
        settings = {
            "vhost": "shop", "user": "app", "password": password(STATE, client.settings.get("user", "app")),
            **client.settings, "pod": client.pod, "case": client.case, "protocol": client.protocol,
            "address": client.ip, "name": client.client_name, "libraries": str(VENV), "journal": str(JOURNAL),
            "ports": [node.port(protocol) for node in (*NODES[first:], *NODES[:first])],
        }  # fmt: skip
        said = (PLAY / "clients.log").open("ab")
        self.processes[client.case] = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("client.py"), json.dumps(settings)], stdout=said, stderr=said
        )

    def _pid_of(self, case: str) -> int | None:
        return self.processes[case].pid if case in self.processes else None

    def working(self, clients: list[Client]) -> bool:
        """Whether the last that each client told is that it works."""
        last = {row["case"]: row["event"] for row in journal() if row["event"] in ("working", "ended", "gone")}
        return all(last.get(client.case) == "working" for client in clients)

    def force(self, client: Client) -> None:
        """Close a client's connection with the management API's DELETE, as an administrator."""
        for row in self.get(FIRST, "connections?disable_stats=true"):
            if row["name"].startswith(f"{client.ip}:"):
                path = f"connections/{urllib.parse.quote(row['name'], safe='')}"
                answer = httpx.delete(f"{FIRST.management_url}/api/{path}", auth=("admin", password(STATE, "admin")),
                                      headers={"X-Reason": "the lab's will"}, timeout=20, trust_env=False)  # fmt: skip
                self.say(f"DELETE {client.case}: {answer.status_code} {answer.text[:200]}")

    # -- the broker --------------------------------------------------------------------------------

    def get(self, node: Node, path: str, user: str = "mon") -> Any:
        """An answer of the management API."""
        url = f"{node.management_url}/api/{path}"
        return httpx.get(url, auth=(user, password(STATE, user)), timeout=20, trust_env=False).json()

    def nodes(self, node: Node | None = None) -> dict[str, Any]:
        """Rows of the nodes by name, asked of a node that is up."""
        return {row["name"]: row for row in self.get(node or FIRST, "nodes")}

    def bring_back(self, node: Node) -> None:
        """Start a node that is away."""
        cluster.spawn(node)
        cluster.wait(node)
        self.say(f"{node.name} is back")

    # -- telling -----------------------------------------------------------------------------------

    def answers(self, name: str) -> None:
        """Keep whole answers of the API, each with its request, and of one connection its details."""
        found = []
        for path in ANSWERS:
            found.append(self._answer(FIRST, path))
        for row in found[3]["body"] or []:
            if row.get("protocol") == "AMQP 1-0" and row.get("name"):
                quoted = urllib.parse.quote(row["name"], safe="")
                for end in ("", "/channels", "/sessions"):
                    found.append(self._answer(FIRST, f"connections/{quoted}{end}"))
                break
        (PLAY / f"answers-{name}.json").write_text(json.dumps(found, indent=1))

    def _answer(self, node: Node, path: str) -> dict[str, Any]:
        url = f"{node.management_url}/api/{path}"
        try:
            answer = httpx.get(url, auth=("mon", password(STATE, "mon")), timeout=20, trust_env=False)
        except httpx.HTTPError as error:
            return {"request": f"GET /api/{path}", "status": str(error), "body": None}
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
        return {"request": f"GET /api/{path}", "user": "mon", "status": answer.status_code, "body": body}

    def capture(self, name: str, *, user: str = "mon") -> None:
        """Capture with the kit's own command and a profile that names nothing but the broker."""
        urls = ", ".join(f'"{node.management_url}"' for node in NODES)
        logs = ", ".join(f'"{node.log}"' for node in NODES)
        (PLAY / "incident-kit.toml").write_text(
            f'[profiles.hare]\ncluster = "hare"\n[profiles.hare.kubernetes]\nkubeconfig = "{PLAY}/none"\n'
            f"[profiles.hare.argocd]\nenabled = false\n[profiles.hare.rabbitmq]\nurls = [{urls}]\nlogs = [{logs}]\n"
            f"timeout_seconds = {5 if name.endswith('frozen') else 20}\n"
        )
        time.sleep(2.5)  # a broker writes its log up to two seconds late
        self.captures[name] = time.time_ns()
        command = [
            KIT,
            "capture",
            "--profile",
            "hare",
            "--from",
            instant(self.started),
            "-o",
            PLAY / f"{name}.incident",
        ]
        environment = {
            **os.environ, "INCIDENT_KIT_REDACTION_KEY": "ab" * 32, "INCIDENT_KIT_RABBITMQ_USER": user,
            "INCIDENT_KIT_RABBITMQ_PASSWORD": password(STATE, user),
        }  # fmt: skip
        done = subprocess.run(
            command, env=environment, cwd=PLAY, capture_output=True, text=True, timeout=300, check=False
        )
        (PLAY / f"{name}.said").write_text(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.say(f"capture {name}: exit {done.returncode}")

    def say(self, words: str) -> None:
        """One line for whoever waits."""
        print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def journal() -> list[dict[str, Any]]:
    """Every event of every client."""
    return [json.loads(line) for line in JOURNAL.read_text().splitlines()] if JOURNAL.exists() else []
