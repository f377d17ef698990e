"""Kubernetes and Argo CD objects of the scenario: small pods that run a shell, and what stands around them."""

from __future__ import annotations

from typing import Any

Manifest = dict[str, Any]

NAMESPACE = "till"
LABEL = "lab.example/scenario"
IMAGE = "registry.lab/till"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
#: Ends at once when it is told to, and costs nothing while it waits.
WAIT = ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 86400 & wait"]


def application(name: str, sources: list[Manifest], *, automated: bool = False, **spec: Any) -> Manifest:
    """An Argo CD Application of one source, or of several."""
    where = {"source": sources[0]} if len(sources) == 1 else {"sources": sources}
    policy = {"syncPolicy": {"automated": {}}} if automated else {}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "labels": {LABEL: NAMESPACE}},
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": NAMESPACE},
            **where,
            **policy,
            **spec,
        },
    }


def _metadata(name: str, namespace: str, annotations: dict[str, str] | None = None) -> Manifest:
    return {"name": name, "namespace": namespace, **({"annotations": annotations} if annotations else {})}


def pod_spec(image: str, container: Manifest, pod: Manifest) -> Manifest:
    """The specification of a pod that waits."""
    return {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "app",
                "image": image,
                "command": WAIT,
                "imagePullPolicy": "IfNotPresent",
                "resources": {"requests": {"cpu": "1m", "memory": "4Mi"}},
                **container,
            }
        ],
        **pod,
    }


def deployment(
    name: str,
    tag: str = VERSIONS[0],
    *,
    namespace: str = NAMESPACE,
    image: str = IMAGE,
    container: Manifest | None = None,
    pod: Manifest | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    template_annotations: dict[str, str] | None = None,
    **spec: Any,
) -> Manifest:
    """A Deployment of pods that wait."""
    mine = labels or {"app": name}
    template = {
        "metadata": {"labels": mine, **({"annotations": template_annotations} if template_annotations else {})},
        "spec": pod_spec(f"{image}:{tag}", container or {}, pod or {}),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**_metadata(name, namespace, annotations), "labels": {"app": name, LABEL: namespace}},
        "spec": {"replicas": 1, "selector": {"matchLabels": mine}, "template": template, **spec},
    }


def rollouts(name: str, tag: str = VERSIONS[0], **more: Any) -> Manifest:
    """A Deployment whose ReplicaSets tell of its rollouts and that runs no pod: pods cost the lab seconds each."""
    return deployment(name, tag, **{"replicas": 0, **more})


def config_map(name: str, namespace: str = NAMESPACE, **values: str) -> Manifest:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(name, namespace), "data": values}


def service(name: str, selector: dict[str, str] | None, *, namespace: str = NAMESPACE, **spec: Any) -> Manifest:
    """A Service on port 80, unless told otherwise."""
    ports = {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    chosen = {"selector": selector} if selector else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(name, namespace),
        "spec": {**ports, **chosen, **spec},
    }


def ingress(name: str, target: str, port: Manifest) -> Manifest:
    """An Ingress with one path."""
    backend = {"service": {"name": target, "port": port}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": f"{name}.example.test", "http": {"paths": [path]}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _metadata(name, NAMESPACE),
        "spec": {"rules": rules},
    }


def job_spec(seconds: float, tag: str = VERSIONS[0]) -> Manifest:
    """A Job's specification whose pod ends after a while."""
    command = ["/bin/sh", "-c", f"sleep {seconds}"]
    spec = pod_spec(f"{IMAGE}:{tag}", {"command": command}, {"restartPolicy": "Never"})
    return {"backoffLimit": 0, "template": {"spec": spec}}


def cron_job(name: str, schedule: str, seconds: float, *, namespace: str, **spec: Any) -> Manifest:
    """A CronJob whose pods end after a while."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": _metadata(name, namespace),
        "spec": {"schedule": schedule, "jobTemplate": {"spec": job_spec(seconds)}, **spec},
    }


def network_policy(name: str, namespace: str, selector: dict[str, str], **spec: Any) -> Manifest:
    """A NetworkPolicy."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(name, namespace),
        "spec": {"podSelector": {"matchLabels": selector} if selector else {}, **spec},
    }
