"""Acts on ConfigMaps and Secrets, and pods that read them in every way there is."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.deploys.manifests import NAMESPACE, Manifest, config_map, deployment
from tests.lab.deploys.world import World
from tests.lab.scenario.lab import until

OLD = {"RATE": "1", "CURRENCY": "CZK", "rates.txt": "one"}
NEW = {"RATE": "2", "CURRENCY": "CZK", "rates.txt": "two"}
ALL = {"envFrom": [{"configMapRef": {"name": "prices"}}]}
STALE = ("reader-env", "reader-key", "reader-subpath", "reader-early")


def _key(kind: str, name: str, key: str) -> Manifest:
    return {"env": [{"name": "VALUE", "valueFrom": {kind: {"name": name, "key": key}}}]}


def _mounted(volume: Manifest, **mount: str) -> dict[str, Manifest]:
    return {
        "container": {"volumeMounts": [{"name": "prices", "mountPath": "/etc/prices", **mount}]},
        "pod": {"volumes": [{"name": "prices", **volume}]},
    }


def readers() -> list[Manifest]:
    """One Deployment for each way of reading."""
    volume = {"configMap": {"name": "prices"}}
    projected = {"projected": {"sources": [{"configMap": {"name": "prices"}}]}}
    late = {"envFrom": [{"configMapRef": {"name": "late-config", "optional": True}}]}
    ways: dict[str, dict[str, Any]] = {
        "reader-env": {"container": ALL},
        "reader-key": {"container": _key("configMapKeyRef", "prices", "RATE")},
        "reader-other-key": {"container": _key("configMapKeyRef", "prices", "CURRENCY")},
        "reader-volume": _mounted(volume),
        "reader-subpath": _mounted(volume, subPath="rates.txt"),
        "reader-projected": _mounted(projected),
        "reader-secret": {"container": _key("secretKeyRef", "till-secret", "token")},
        "reader-early": {"container": ALL},
        "reader-crashed": {"container": ALL},
        "reader-deleted": {"container": ALL},
        "reader-restarted": {"container": ALL},
        "reader-reloaded": {"container": ALL, "annotations": {"configmap.reloader.stakater.com/reload": "prices"}},
        "reader-labelled": {"container": {"envFrom": [{"configMapRef": {"name": "labelled"}}]}},
        "reader-optional": {"container": late},
    }
    return [deployment(name, **more) for name, more in ways.items()]


def _summed(checksum: str, value: str) -> list[Manifest]:
    read = {"envFrom": [{"configMapRef": {"name": "summed"}}]}
    return [
        config_map("summed", VALUE=value),
        deployment("summed", container=read, template_annotations={"checksum/config": checksum}),
    ]


def seed(world: World) -> None:
    """Configuration, and its readers."""
    world.application("prices", config_map("prices", **OLD), automated=True)
    world.application("readers", *readers())
    world.application("summed", *_summed("1111", "1"))
    world.lab.apply(config_map("labelled", A="1"), _secret("old"))


def _secret(value: str) -> Manifest:
    metadata = {"name": "till-secret", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": value, "other": "x"}}


def first_syncs(world: World) -> None:
    """The pipeline brings the readers, once there is something to read."""
    until(lambda: _value(world), seconds=60, what="ConfigMap prices")
    world.sync_together(("readers", "summed"))


def _value(world: World) -> str:
    text = world.by_hand("get", "configmap", "prices", "--ignore-not-found", "-o", "json")
    return str(json.loads(text)["data"]["RATE"]) if text.strip() else ""


def play(world: World) -> None:
    """One crash before the change, the change, and what took it up."""
    world.end_container(world.pods("reader-early")[0])
    world.git.write("apps/prices/all.yaml", config_map("prices", **NEW))
    world.git.write("apps/summed/all.yaml", *_summed("2222", "2"))
    more = {"application": "prices", "automated": True, "told": "autosync of a ConfigMap"}
    with world.act(("config",), "ConfigMap", "prices", None, namespace=NAMESPACE, **more):
        revision = world.git.commit("Prices rise")
        world.arrives("prices", revision, lambda: _value(world) == NEW["RATE"], "ConfigMap prices")
    world.sync("summed")
    with world.act(("config",), "Secret", "till-secret", "kubectl-client-side-apply", told="kubectl apply"):
        world.lab.apply(_secret("new"))
    world.by_hand("label", "configmap", "labelled", "colour=blue")
    with world.act(("created",), "ConfigMap", "late-config", "kubectl-client-side-apply", told="kubectl apply"):
        world.lab.apply(config_map("late-config", A="1"))
    took_it_up(world)
    cases(world)


def took_it_up(world: World) -> None:
    """A crash, a deleted pod, a restart by hand, and Reloader, played by its annotation and field manager."""
    world.end_container(world.pods("reader-crashed")[0])
    gone = world.pods("reader-deleted")[0]
    with world.act(("deleted",), "Pod", gone, None, told="kubectl delete pod"):
        world.by_hand("delete", "pod", gone, "--wait=true")
    with world.act(("deploy_restart",), "Deployment", "reader-restarted", "kubectl-rollout", told="rollout restart"):
        world.by_hand("rollout", "restart", "deployment/reader-restarted")
    source = json.dumps({"type": "CONFIGMAP", "name": "prices", "namespace": NAMESPACE})
    annotations = {"annotations": {"reloader.stakater.com/last-reloaded-from": source}}
    patch = json.dumps({"spec": {"template": {"metadata": annotations}}})
    with world.act(("config_reload",), "Deployment", "reader-reloaded", "Reloader", told="Reloader's patch"):
        world.by_hand("patch", "deployment", "reader-reloaded", "--field-manager=Reloader", "-p", patch)
    world.rolled_out("reader-deleted", "reader-restarted", "reader-reloaded")


def cases(world: World) -> None:
    """Who runs with old values, and who took up new ones by the way."""
    for name in STALE:
        world.expect("stale-config", "Pod", f"{name}-[0-9a-z-]+", "started before the change, reads it once")
    world.expect("stale-config", "Pod", "reader-secret-[0-9a-z-]+", "the Secret changed")
    world.expect("stale-config", "Pod", "reader-optional-[0-9a-z-]+", "an optional ConfigMap came later")
    for name, why in (
        ("reader-volume", "files are updated"),
        ("reader-projected", "files are updated"),
        ("reader-labelled", "only a label of the ConfigMap changed"),
        ("reader-crashed", "restarted after the change"),
        ("reader-deleted", "made anew after the change"),
        ("reader-restarted", "restarted by hand after the change"),
        ("reader-reloaded", "restarted by Reloader after the change"),
        ("summed", "rolled out with the change, by its checksum"),
    ):
        world.spare("stale-config", "Pod", f"{name}-[0-9a-z-]+", why)
    why = "another key changed: managedFields do not tell which of the keys that Argo CD owns"
    world.spare("stale-config", "Pod", "reader-other-key-[0-9a-z-]+", why, tellable=False)
    for name in ("reader-crashed", "reader-deleted"):
        world.expect("config-activated", "Pod", f"{name}-[0-9a-z-]+", "came back after the change by itself")
    for name, why in (
        ("reader-early", "restarted before the change"),
        ("reader-env", "did not restart"),
        ("reader-volume", "did not restart"),
        ("reader-reloaded", "restarted for the change"),
        ("summed", "rolled out with the change"),
    ):
        world.spare("config-activated", "Pod", f"{name}-[0-9a-z-]+", why)
