"""The Git repository that Argo CD syncs: rootapp, its three groups, one Application for each service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.lab.scenario import services
from tests.lab.scenario.lab import run

AUTOMATED = {"syncPolicy": {"automated": {}}}


def application(name: str, path: str, repository: str, *, automated: bool, namespace: str = "shop") -> dict[str, Any]:
    """An Argo CD Application for one folder of the repository."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": repository, "targetRevision": "main", "path": path},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            **(AUTOMATED if automated else {}),
        },
    }


def config_map(name: str, values: dict[str, str]) -> dict[str, Any]:
    """A ConfigMap read by environment."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": values}


def network_policy() -> dict[str, Any]:
    """Pods of the shop may talk to each other, to the brokers and to Elasticsearch."""
    ports = [{"protocol": "TCP", "port": port} for port in (5672, 5673, 5674, 9200, 9201)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}]}],
            "egress": [{"to": [{"podSelector": {}}]}, {"to": [{"ipBlock": {"cidr": "10.88.0.1/32"}}], "ports": ports}],
        },
    }


@dataclass
class Repository:
    """The working copy and what stands in it."""

    bare: Path
    worktree: Path
    url: str
    broker_addresses: list[str]
    elastic_url: str
    versions: dict[str, str] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)

    def seed(self) -> str:
        """Write the first state and return its commit."""
        run("rm", "-rf", self.bare, self.worktree)
        self.worktree.mkdir(parents=True)
        run("git", "init", "-q", "--bare", "-b", "main", self.bare)
        run("git", "init", "-q", "-b", "main", self.worktree)
        run("git", "remote", "add", "origin", self.bare, cwd=self.worktree)
        groups = ("applications", "configmaps", "networkpolicy")
        for group in groups:
            root = application(f"rootapp-{group}", f"groups/{group}", self.url, automated=True, namespace="argocd")
            self._write(f"root/rootapp-{group}.yaml", root)
        for name in services.VERSIONS:
            self._write(
                f"groups/applications/{name}.yaml", application(name, f"services/{name}", self.url, automated=False)
            )
        for name in ("orders-config", "payments-config"):
            self._write(f"groups/configmaps/{name}.yaml", application(name, f"config/{name}", self.url, automated=True))
        self._write("groups/networkpolicy/shop.yaml", application("shop-netpol", "netpol", self.url, automated=True))
        self._write("netpol/shop.yaml", network_policy())
        self.set_config("orders-config", TIMEOUT="30", LOG_LEVEL="info")
        self.set_config("payments-config", GATEWAY="https://gateway.example.test", LOG_LEVEL="info")
        for name, tags in services.VERSIONS.items():
            self.set_version(name, next(iter(tags)))
        return self.commit("Deploy the shop")

    def set_version(self, name: str, version: str) -> None:
        """Put one service at a version; a commit makes it so."""
        self.versions[name] = version
        spec = services.pod_spec(name, version, self.broker_addresses, self.elastic_url)
        self._write(f"services/{name}/workload.yaml", services.workload(name, spec))
        if name not in ("orders-jobs", "node-agent"):
            self._write(f"services/{name}/service.yaml", services.service(name))

    def set_config(self, name: str, **values: str) -> None:
        """Change values of a ConfigMap; a commit makes it so."""
        self.configs[name] = {**self.configs.get(name, {}), **values}
        self._write(f"config/{name}/configmap.yaml", config_map(name, self.configs[name]))

    def commit(self, message: str) -> str:
        """Commit and push everything; returns the revision."""
        author = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Shop Developer"), ("EMAIL", "developer@shop.example"))
        }
        run("git", "add", "-A", cwd=self.worktree)
        run("git", "commit", "-qm", message, cwd=self.worktree, environment=author)
        run("git", "push", "-q", "origin", "main", cwd=self.worktree)
        return run("git", "rev-parse", "HEAD", cwd=self.worktree).strip()

    def _write(self, path: str, document: dict[str, Any]) -> None:
        target = self.worktree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(document, sort_keys=False))
