"""The course of the second incident, in about three minutes."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from tests.lab.losses import indices, services
from tests.lab.losses.services import NAMESPACE
from tests.lab.scenario import node
from tests.lab.scenario.actions import Actions
from tests.lab.scenario.keeper import ConsoleKeeper, ObjectWatch
from tests.lab.scenario.lab import LAB, Lab, until
from tests.lab.services.build import build
from tests.lab.services.images import Registry, push_all

TRUTH = LAB / "losses"
ARRIVAL_SECONDS = 15  # what was logged last has arrived by then, or never will
ROTATIONS = 2  # of each console that the collector tails


def prepare(lab: Lab) -> None:
    """Build, push, empty the namespace and the indices, lay out the node's folders."""
    built = build(LAB / "services")
    push_all(Registry(lab.facts["kubernetes"]["registry"]), built, services.VERSIONS)
    lab.take_away(NAMESPACE)
    shutil.rmtree(TRUTH, ignore_errors=True)
    node.lay_out(built, TRUTH, services.FOLDER)
    for folder in ("console", "objects"):
        (TRUTH / folder).mkdir(parents=True)
    (TRUTH / "changes.jsonl").touch()
    indices.prepare(lab)
    lab.make_anew(NAMESPACE)


class Losses:
    """The acts."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.actions = Actions(lab, TRUTH, NAMESPACE)
        self.pod_logs = Path(lab.facts["kubernetes"]["pod_logs"])

    def deploy(self) -> None:
        """Everything at once; the collector when there is something to tail."""
        run = time.strftime("%H%M%S")
        url = self.lab.elasticsearch["pod_url"]
        self.lab.apply(
            *(
                services.workload(name, url, indices.index_of(name, run), str(self.pod_logs))
                for name in services.SERVICES
            )
        )
        for name, count in services.PODS.items():
            self.actions.ready(name, count)

    def pod(self, app: str) -> str:
        """The name of a service's only pod."""
        name: str = self.actions.pods(app)[0]["metadata"]["name"]
        return name

    def rotated(self, app: str) -> bool:
        """Whether the kubelet has rotated a console often enough."""
        files = self.pod_logs.glob(f"{NAMESPACE}_{app}-*/app/0.log.*")
        return len([path for path in files if not path.name.endswith(".tmp")]) >= ROTATIONS

    def run(self) -> None:
        """All acts, with quiet time between them so that causes stay apart."""
        self.deploy()
        time.sleep(25)
        with self.actions.change("Pod", self.pod("mailer"), "hold", "lab"):
            self.actions.order(self.pod("mailer"), do="hold", seconds=30)
        with self.actions.change("Pod", self.pod("intake"), "burst", "lab"):
            self.actions.order(self.pod("intake"), do="burst", count=1500)
        time.sleep(30)
        quotes = self.actions.pods("quotes")[0]["metadata"]
        self.actions.restart_by(quotes["name"], "Error", lambda: self.actions.kill(quotes["uid"]))
        intake = self.pod("intake")
        self.actions.restart_by(intake, "Error", lambda: self.actions.order(intake, do="crash"))
        for app in ("gate", "meter"):
            until(lambda app=app: self.rotated(app), seconds=180, what=f"{ROTATIONS} rotations of {app}")
        time.sleep(10)


def play(lab: Lab) -> None:
    """Prepare the lab, play the incident, and write down its window."""
    prepare(lab)
    keeper = ConsoleKeeper(Path(lab.facts["kubernetes"]["pod_logs"]), TRUTH / "console", NAMESPACE)
    keeper.start()
    watch = ObjectWatch(lab, ("pods",), TRUTH / "objects", NAMESPACE)
    started = time.time_ns()
    try:
        Losses(lab).run()
    finally:
        ended = time.time_ns()
        time.sleep(ARRIVAL_SECONDS)
        lab.elastic("POST", f"/{indices.PATTERN}/_refresh")
        keeper.stop()
        watch.stop()
        (TRUTH / "window.json").write_text(json.dumps({"from": started, "to": ended}))
    print(f"the incident took {(ended - started) / 1e9:.0f} s")


def remove(lab: Lab) -> None:
    """End the services; what they wrote stays for the truth."""
    lab.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
