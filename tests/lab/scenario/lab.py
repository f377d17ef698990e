"""The running lab as the scenario uses it: kubectl, Elasticsearch, RabbitMQ nodes, argocd, git.

Everything is found in ``lab.json``, which the servers' start writes beside their data.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAB = Path(os.environ.get("INCIDENT_KIT_LAB") or Path.home() / ".cache" / "incident-kit-lab")
TRUTH = LAB / "truth"
# A neutral path for what pods mount from the node: recorded pod objects show it.
NODE_FOLDER = Path("/opt/incident-kit-lab")
NAMESPACE = "shop"


def run(
    *command: object,
    check: bool = True,
    stdin: str | None = None,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """Run a command and return its standard output; a failure shows both outputs."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        input=stdin,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    if check and done.returncode:
        raise RuntimeError(f"{command}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def until(question: Callable[[], Any], *, seconds: float, what: str, every: float = 0.3) -> Any:
    """Ask until the answer is true; a lab that does not get there is an error, never a pass."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(every)
    raise TimeoutError(f"not within {seconds:.0f} s: {what}")


@dataclass(frozen=True)
class Lab:
    """Access to every server of the lab."""

    facts: dict[str, Any]
    #: The Elasticsearch node that is asked and shipped to: by default the one with security, as in any shop.
    node: str = "elasticsearch_secure"

    @classmethod
    def running(cls, node: str = "elasticsearch_secure") -> Lab:
        """Read lab.json; a lab that is not up is said so by name."""
        path = LAB / "lab.json"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: start the lab first (make lab)")
        return cls(json.loads(path.read_text()), node)

    # -- Kubernetes -----------------------------------------------------------------------------

    def kubectl(self, *arguments: object, check: bool = True, stdin: str | None = None) -> str:
        """Run kubectl as the cluster's administrator."""
        kubernetes = self.facts["kubernetes"]
        return run(
            kubernetes["kubectl"], "--kubeconfig", kubernetes["kubeconfig"], *arguments, check=check, stdin=stdin
        )

    def objects(self, kind: str, *arguments: object, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
        """All objects of a kind in a namespace."""
        text = self.kubectl("-n", namespace, "get", kind, *arguments, "-o", "json")
        items: list[dict[str, Any]] = json.loads(text)["items"]
        return items

    def apply(self, *documents: dict[str, Any]) -> None:
        """Apply objects by hand, as a list."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))

    # -- Elasticsearch --------------------------------------------------------------------------

    @property
    def elasticsearch(self) -> dict[str, Any]:
        """The node that the services ship to."""
        found: dict[str, Any] = self.facts[self.node]
        return found

    def elastic(self, method: str, path: str, body: object = None, *, timeout: float = 30) -> Any:
        """Send one request as the lab's administrator; HTTP errors are raised with their body."""
        facts = self.elasticsearch
        headers = {"Content-Type": "application/json"}
        if facts.get("password"):
            pair = f"{facts['user']}:{facts['password']}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        payload = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(facts["url"] + path, payload, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error

    def hits(self, index: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        """All hits of a query, by point in time and search_after."""
        pit = self.elastic("POST", f"/{index}/_pit?keep_alive=2m")["id"]
        found: list[dict[str, Any]] = []
        after: dict[str, Any] = {}
        while True:
            body = {
                "size": 5000,
                "query": query,
                "pit": {"id": pit, "keep_alive": "2m"},
                "sort": [{"_shard_doc": "asc"}],
                "track_total_hits": True,
                **after,
            }
            answer = self.elastic("POST", "/_search", body)
            if answer["_shards"]["failed"] or answer["timed_out"]:
                raise RuntimeError(f"partial answer: {answer['_shards']}")
            page = answer["hits"]["hits"]
            if not page:
                self.elastic("DELETE", "/_pit", {"id": pit})
                return found
            found += page
            after = {"search_after": page[-1]["sort"]}

    # -- RabbitMQ -------------------------------------------------------------------------------

    def rabbit(self, path: str, *, user: str = "mon", node: int = 0, method: str = "GET") -> Any:
        """Ask the management API of one node."""
        facts = self.facts["rabbitmq"]
        pair = f"{user}:{facts['users'][user]}"
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        url = facts["nodes"][node]["management_url"] + "/api" + path
        request = urllib.request.Request(url, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    # -- Argo CD --------------------------------------------------------------------------------

    def argocd(self, *arguments: object, user: str = "admin", check: bool = True) -> str:
        """Run the argocd CLI logged in as one of the lab's accounts."""
        facts = self.facts["argocd"]
        config = LAB / "truth" / f"argocd-{user}"
        common = (facts["cli"], "--plaintext", "--server", facts["server"], "--config", config)
        environment = {"HOME": str(LAB / "truth"), "NO_PROXY": "*"}
        token = facts["tokens"].get(user)
        if token:
            return run(*common, "--auth-token", token, *arguments, check=check, environment=environment)
        if not config.exists():
            password = facts["users"][user]
            run(
                facts["cli"],
                "login",
                facts["server"],
                "--plaintext",
                "--username",
                user,
                "--password",
                password,
                "--config",
                config,
                environment=environment,
            )
        return run(*common, *arguments, check=check, environment=environment)

    def application(self, name: str) -> dict[str, Any]:
        """One Application as it is now."""
        found: dict[str, Any] = json.loads(self.kubectl("-n", "argocd", "get", "application", name, "-o", "json"))
        return found

    def refresh(self, name: str) -> None:
        """Let Argo CD look at Git now instead of at the next poll."""
        self.kubectl(
            "-n", "argocd", "annotate", "application", name, "argocd.argoproj.io/refresh=normal", "--overwrite"
        )
