"""The scenario from an empty cluster to two captures, in about four minutes: before the acts, and after them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import credentials
from tests.lab.deploys import configuration, network, runs, syncs, workloads
from tests.lab.deploys.manifests import NAMESPACE
from tests.lab.deploys.truth import Truth
from tests.lab.deploys.world import FOLDER, RELEASE_PAUSE_SECONDS, World
from tests.lab.scenario.lab import Lab

PROFILE = "till"
NAMESPACES = (NAMESPACE, runs.NAMESPACE, *network.NAMESPACES)
KIT = Path(sys.executable).with_name("incident-kit")


@dataclass(frozen=True)
class Played:
    """What one run left: the truth and two bundles."""

    truth: Truth
    before: Path
    after: Path


def profile_text() -> str:
    """``incident-kit.toml``: the cluster and Argo CD, nothing else."""
    namespaces = ", ".join(f'"{name}"' for name in NAMESPACES)
    return f"""[profiles.{PROFILE}]
cluster = "lab"
pipeline_accounts = ["ci"]
release_pause_seconds = {RELEASE_PAUSE_SECONDS}

[profiles.{PROFILE}.kubernetes]
namespaces = [{namespaces}]

[profiles.{PROFILE}.argocd]
namespaces = ["argocd"]
"""


def capture(lab: Lab, folder: Path, name: str, window: tuple[int, int]) -> Path:
    """A bundle, taken by the kit's own command with ordinary credentials."""
    (folder / "incident-kit.toml").write_text(profile_text())
    environment = {**os.environ, "KUBECONFIG": str(credentials.kubeconfig(lab, folder))}
    bundle = folder / f"{name}.incident"
    command = [KIT, "capture", "--profile", PROFILE, "--from", credentials.instant(window[0]),
               "--to", credentials.instant(window[1]), "-o", bundle, "--force"]  # fmt: skip
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"capture: exit {done.returncode}\n{done.stderr[-3000:]}")
    return bundle


def snapshot(lab: Lab) -> dict[str, Any]:
    """What is so now, by kubectl: images of workloads, versions of configuration and policies. Compared with ``diff``."""
    found: dict[str, Any] = {"at": time.time_ns()}
    for namespace in NAMESPACES:
        for kind in ("deployments", "configmaps", "networkpolicies"):
            for item in lab.objects(kind, namespace=namespace):
                spec = item.get("spec", {}) if kind != "configmaps" else item.get("data")
                shown = json.dumps(spec, sort_keys=True)
                if kind == "deployments":
                    shown = ", ".join(sorted(c["image"] for c in spec["template"]["spec"]["containers"]))
                found[f"{item['kind']}/{namespace}/{item['metadata']['name']}"] = shown
    return found


def play(lab: Lab, folder: Path) -> Played:
    """Prepare, play, capture; everything that is known stands in the truth, and nothing goes on in the lab."""
    folder.mkdir(parents=True, exist_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    world = World(lab)
    world.prepare(NAMESPACES)
    try:
        return _played(world, folder)
    finally:
        world.clear(NAMESPACES)


def _played(world: World, folder: Path) -> Played:
    started, lab = time.time_ns(), world.lab
    cron = runs.Runs(world)
    cron.seed()
    for part in (syncs, workloads, configuration, network):
        part.seed(world)
    world.git.commit("Everything at its first version")
    world.charts.commit("Charts at their first version")
    world.start_root()
    for part in (configuration, syncs, workloads, network):
        part.first_syncs(world)
        print(f"{time.strftime('%H:%M:%S')}  first syncs of {part.__name__}", flush=True)
    world.available("-n", NAMESPACE, "-l", "app notin (unready)")
    world.truth.snapshots["before"] = snapshot(lab)
    before = capture(lab, folder, "before", (started, time.time_ns()))
    print(f"{time.strftime('%H:%M:%S')}  before: {(time.time_ns() - started) / 1e9:.0f} s", flush=True)
    _act(world, cron)
    world.truth.snapshots["after"] = snapshot(lab)
    for name in world.truth.history:
        lines = lab.argocd("app", "history", name).splitlines()
        # An Application of several sources is printed once for each source.
        world.truth.history[name] = list(dict.fromkeys(line.split()[0] for line in lines if line[:1].isdecimal()))
    ended = time.time_ns()
    world.truth.window = (started, ended)
    world.truth.write(folder / "truth.json")
    after = capture(lab, folder, "after", (started, ended))
    print(f"the changes took {(ended - started) / 1e9:.0f} s", flush=True)
    return Played(world.truth, before, after)


def _act(world: World, cron: runs.Runs) -> None:
    workloads.play(world)
    network.play(world)
    configuration.play(world)
    cron.wake_late()
    syncs.play(world)
    cron.start_by_hand()
    cron.finish()
    world.let_releases_part(syncs.UNITS["claims"])  # it is half done: only then nobody waits for the rest
