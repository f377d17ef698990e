"""Acts on workloads: moved tags, mixed versions, stuck rollouts, resources and probes, Services and Ingresses."""

from __future__ import annotations

from typing import Any

from tests.lab.deploys.manifests import deployment, ingress, rollouts, service
from tests.lab.deploys.world import World
from tests.lab.scenario.lab import until
from tests.lab.services.images import push_shell

NEW = "1.1.0"
NEVER = {"exec": {"command": ["/bin/false"]}, "periodSeconds": 5}
FINE = {"exec": {"command": ["/bin/true"]}, "periodSeconds": 5}
#: A new pod beside the old ones, which stay until it is ready.
CAREFUL = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}


def seed(world: World) -> None:
    """Everything at its first version; the images whose tag will move."""
    for name in ("labels", "labels-kept"):
        push_shell(world.registry, name, "stable", {"BUILD": "1"})
    for name, policy in (("labels", "Always"), ("labels-kept", "IfNotPresent")):
        shown = deployment(
            name, "stable", image=f"registry.lab/{name}", replicas=2, container={"imagePullPolicy": policy}
        )
        world.application(name, shown)
    world.application("mixed", deployment("mixed", replicas=2, **CAREFUL), service("mixed", {"app": "mixed"}))
    world.application("stuck", deployment("stuck", progressDeadlineSeconds=10, **CAREFUL))
    world.application("weights", rollouts("weights"))
    world.application("probed", rollouts("probed", container={"livenessProbe": FINE}))
    world.application("twins", *(_twin(name, tag) for name, tag in (("a", "1.0.0"), ("b", NEW))))
    world.application("doors", *_doors())


def _twin(name: str, tag: str) -> dict[str, Any]:
    return deployment(f"twin-{name}", tag, labels={"app": "twin", "track": name})


def _doors() -> list[dict[str, Any]]:
    return [
        deployment("front"),
        deployment("unready", container={"readinessProbe": NEVER}),
        deployment("zero", replicas=0),
        service("front", {"app": "front"}),
        service("typo", {"app": "frnt"}),
        service("unready", {"app": "unready"}),
        service("zero", {"app": "zero"}),
        service("by-hand", None),
        service("elsewhere", None, type="ExternalName", externalName="till.example.test"),
        service("early", {"app": "unready"}, publishNotReadyAddresses=True, clusterIP="None"),
        ingress("open", "front", {"number": 80}),
        ingress("named", "front", {"name": "http"}),
        ingress("lost", "frnt", {"number": 80}),
        ingress("wrong-port", "front", {"number": 8080}),
    ]


def first_syncs(world: World) -> None:
    """The pipeline brings everything for the first time."""
    world.sync_together(("labels", "labels-kept", "mixed", "stuck", "weights", "probed", "twins", "doors"))


def play(world: World) -> None:
    """All acts, one after the other."""
    moved_tags(world)
    world.git.write(
        "apps/mixed/all.yaml",
        deployment("mixed", NEW, replicas=2, container={"readinessProbe": NEVER}, **CAREFUL),
        service("mixed", {"app": "mixed"}),
    )
    world.git.write("apps/stuck/all.yaml", deployment("stuck", "9.9.9", progressDeadlineSeconds=10, **CAREFUL))
    limits = {"requests": {"cpu": "1m", "memory": "4Mi"}, "limits": {"memory": "48Mi"}}
    world.git.write("apps/weights/all.yaml", rollouts("weights", container={"resources": limits}))
    slower = {"livenessProbe": {**FINE, "periodSeconds": 20}}
    world.git.write("apps/probed/all.yaml", rollouts("probed", container=slower))
    world.git.commit("Tune")
    for name in ("mixed", "stuck", "weights", "probed"):
        world.sync(name)
    world.expect("mixed-versions", "Deployment", "mixed", "the new pod never becomes ready, the old ones stay")
    world.expect("resources-changed", "Deployment", "mixed", "a readiness probe came")
    world.expect("image-drift", "Deployment", "stuck", "the new image cannot be pulled, the old one runs")
    world.spare("mixed-versions", "Deployment", "stuck", "the new image never ran")
    world.spare("mixed-versions", "Deployment", "twin-.", "two Deployments with a label in common")
    world.spare("image-drift", "Deployment", "mixed", "its rollout is under way")
    world.expect("resources-changed", "Deployment", "weights", "a limit came")
    world.expect("resources-changed", "Deployment", "probed", "a probe's period changed")
    doors(world)


def moved_tags(world: World) -> None:
    """Both tags move in the registry; one of two pods is replaced: one pulls anew, the other finds the old image."""
    for name in ("labels", "labels-kept"):
        push_shell(world.registry, name, "stable", {"BUILD": "2"})
        gone = world.pods(name)[0]
        with world.act(("deleted",), "Pod", gone, None, told="kubectl delete pod"):
            world.by_hand("delete", "pod", gone, "--wait=true")
    until(lambda: len(world.pods("labels")) == 2, seconds=60, what="two pods of labels")
    world.rolled_out("labels", "labels-kept")
    world.expect("moved-tag", "Deployment", "labels", "pushed again, one pod pulled it")
    world.spare("moved-tag", "Deployment", "labels-kept", "pushed again, but no node pulled it")
    world.spare("moved-tag", "Deployment", "twin-.", "two tags")
    world.spare("mixed-versions", "Deployment", "labels.*", "one reference")


def doors(world: World) -> None:
    """Services and Ingresses were wrong from the start."""
    world.expect("no-ready-pod", "Service", "typo", "its selector is misspelt")
    world.expect("no-ready-pod", "Service", "unready", "its pod is not ready")
    world.expect("no-ready-pod", "Service", "zero", "its workload is scaled to nothing")
    for name, why in (
        ("front", "fine"),
        ("mixed", "old pods are ready"),
        ("by-hand", "no selector: its endpoints are somebody else's"),
        ("elsewhere", "ExternalName"),
        ("early", "it publishes pods that are not ready"),
    ):
        world.spare("no-ready-pod", "Service", name, why)
    world.expect("ingress-nowhere", "Ingress", "lost", "its Service does not exist")
    world.expect("ingress-nowhere", "Ingress", "wrong-port", "its Service has no such port")
    for name in ("open", "named"):
        world.spare("ingress-nowhere", "Ingress", name, "fine")
