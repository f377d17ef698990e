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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.lab.servers.processes import PATIENCE

LAB = Path(os.environ.get("INCIDENT_KIT_LAB") or Path.home() / ".cache" / "incident-kit-lab")
TRUTH = LAB / "truth"
# A neutral path for what pods mount from the node: recorded pod objects show it.
NODE_FOLDER = Path("/opt/incident-kit-lab")
NAMESPACE = "shop"
#: The longest wait of kubectl and of the argocd command line: it ends what would never end.
LONGEST_SECONDS = 600


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
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        if answer := question():
            return answer
        if time.monotonic() > end:
            break
        time.sleep(every)
    raise TimeoutError(f"not within {seconds:.0f} s: {what}")


@dataclass(frozen=True)
class Lab:
    """Access to every server of the lab."""

    facts: dict[str, Any]
    #: The Elasticsearch node that is asked and shipped to: by default the one with security, as in any shop.
    node: str = "elasticsearch_secure"
    _logged_in: set[str] = field(default_factory=set, repr=False, compare=False)

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

    def take_away(self, *namespaces: str) -> None:
        """Delete namespaces with everything in them, and wait until they are gone; nothing to do where there are none."""
        self.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", f"--timeout={LONGEST_SECONDS}s")

    def make_anew(self, *namespaces: str) -> None:
        """Empty namespaces, whatever an earlier run left in them, in which a pod can be made at once.

        A controller gives a namespace its service account some time after it was made, and the API server refuses pods
        until then: it waits for little more than a second by itself.
        """
        self.take_away(*namespaces)
        for namespace in namespaces:
            self.kubectl("create", "namespace", namespace)
        for namespace in namespaces:
            account = ("-n", namespace, "get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
            until(partial(self.kubectl, *account), seconds=60, what=f"account of {namespace}")

    def await_right(self, account: str, *question: str) -> None:
        """Wait until an account may do something: the API server knows a role some time after it was bound.

        Args:
            account: namespace and name of a service account, ``default:incident-kit``.
            *question: what ``kubectl auth can-i`` is asked.
        """
        asked = ("auth", "can-i", *question, f"--as=system:serviceaccount:{account}")
        until(lambda: self.kubectl(*asked, check=False).strip() == "yes", seconds=60, what=f"{account} may {question}")

    # -- Elasticsearch --------------------------------------------------------------------------

    @property
    def elasticsearch(self) -> dict[str, Any]:
        """The node that the services ship to."""
        found: dict[str, Any] = self.facts[self.node]
        return found

    def elastic(self, method: str, path: str, body: object = None, *, timeout: float = 120) -> Any:
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
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    # -- Argo CD --------------------------------------------------------------------------------

    def argocd(self, *arguments: object, user: str = "admin", check: bool = True) -> str:
        """Run the argocd CLI logged in as one of the lab's accounts."""
        facts = self.facts["argocd"]
        config = TRUTH / f"argocd-{user}"
        common = (facts["cli"], "--plaintext", "--server", facts["server"], "--config", config)
        environment = {"HOME": str(TRUTH), "NO_PROXY": "*"}
        token = facts["tokens"].get(user)
        if token:
            return run(*common, "--auth-token", token, *arguments, check=check, environment=environment)
        if user not in self._logged_in or not config.exists():
            # Once in each run: a session of an earlier one may have ended, it lasts for a day.
            who = ("--username", user, "--password", facts["users"][user])
            run(
                facts["cli"], "login", facts["server"], "--plaintext", *who, "--config", config, environment=environment
            )
            self._logged_in.add(user)
        return run(*common, *arguments, check=check, environment=environment)

    def await_applications(self, names: Iterable[str]) -> None:
        """Wait until Argo CD's API server knows Applications: it lists them from a cache that comes after Kubernetes."""

        def known() -> bool:
            listed = self.argocd("app", "list", "-o", "name", user="ci").split()
            return set(names) <= {name.rpartition("/")[2] for name in listed}

        until(known, seconds=120, what=f"Applications {', '.join(sorted(names))}")

    def await_autosync(self, name: str, *, revision: str | None = None) -> None:
        """Wait until a sync (to a revision) has succeeded that nobody asked for.

        Its objects are there before Argo CD has written down that it ended, and when.
        """

        def done() -> bool:
            state = self.application(name).get("status", {}).get("operationState") or {}
            brought = (state.get("syncResult") or {}).get("revision")
            return state.get("phase") == "Succeeded" and revision in (None, brought)

        until(done, seconds=120, what=f"autosync of {name}")

    def application(self, name: str) -> dict[str, Any]:
        """One Application as it is now."""
        found: dict[str, Any] = json.loads(self.kubectl("-n", "argocd", "get", "application", name, "-o", "json"))
        return found

    def refresh(self, name: str) -> None:
        """Let Argo CD look at Git now instead of at the next poll."""
        self.kubectl(
            "-n", "argocd", "annotate", "application", name, "argocd.argoproj.io/refresh=normal", "--overwrite"
        )
