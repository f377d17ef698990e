"""The faults and changes of the scenario, each written into the truth as it happens."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.scenario.lab import LONGEST_SECONDS, NAMESPACE, TRUTH, Lab, run, until


@dataclass
class Actions:
    """What the scenario does to the lab; ``changes.jsonl`` remembers when and by whom."""

    lab: Lab
    truth: Path = TRUTH
    namespace: str = NAMESPACE
    _happened: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def change(self, kind: str, name: str, what: str, by: str, **facts: Any) -> Iterator[dict[str, Any]]:
        """Remember a change with the times between which it happened."""
        row = {
            "kind": kind,
            "namespace": self.namespace,
            "name": name,
            "what": what,
            "by": by,
            "from": time.time_ns(),
            **facts,
        }
        yield row
        row["to"] = time.time_ns()
        self._happened.append(row)
        with (self.truth / "changes.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{time.strftime('%H:%M:%S')}  {what}: {kind} {name} by {by}", flush=True)

    # -- Argo CD ---------------------------------------------------------------------------------

    def sync(self, name: str, by: str, *, old: str | None = None, new: str | None = None) -> None:
        """Sync one Application to HEAD and wait for the operation's end."""
        self.lab.refresh(name)
        with self.change("Application", name, "sync", by, old=old, new=new, automated=False):
            self.lab.argocd("app", "sync", name, "--timeout", LONGEST_SECONDS, "--assumeYes", user=by)

    def rollback(self, name: str, history_id: int, by: str, *, old: str, new: str) -> None:
        """Roll one Application back to an entry of its history."""
        with self.change("Application", name, "rollback", by, old=old, new=new, automated=False):
            self.lab.argocd("app", "rollback", name, str(history_id), "--timeout", LONGEST_SECONDS, user=by)

    def config_synced(self, commit: Callable[[], object], application: str, config: str, key: str, value: str) -> None:
        """Commit a new value and wait until autosync has put it into a ConfigMap; its readers are not restarted.

        The change begins with the commit: Argo CD looks at Git by itself, too, and may be there before it is asked.
        """
        with self.change("ConfigMap", config, "data", "argocd", automated=True, key=key):
            commit()
            self.lab.refresh(application)
            until(lambda: self._config(config).get(key) == value, seconds=120, what=f"{config} {key}={value}")

    def _config(self, name: str) -> dict[str, str]:
        text = self.lab.kubectl("-n", self.namespace, "get", "configmap", name, "-o", "json")
        values: dict[str, str] = json.loads(text)["data"]
        return values

    # -- pods ------------------------------------------------------------------------------------

    def pods(self, app: str) -> list[dict[str, Any]]:
        """The pods of one service that are not being deleted, oldest first."""
        found = self.lab.objects("pods", "-l", f"app={app}", namespace=self.namespace)
        living = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        return sorted(living, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def ready(self, app: str, count: int, *, image: str | None = None, seconds: float = 120) -> list[dict[str, Any]]:
        """Wait until so many pods of a service run (at this image)."""

        def running() -> list[dict[str, Any]]:
            pods = self.pods(app)
            return pods if len(pods) == count and all(_is_ready(pod, image) for pod in pods) else []

        found: list[dict[str, Any]] = until(running, seconds=seconds, what=f"{count} ready pods of {app} {image or ''}")
        return found

    def order(self, pod: str, **order: Any) -> None:
        """Leave a command for a service's process."""
        target = self.truth / "control" / f"{pod}.json"
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(order))
        partial.rename(target)

    def instance(self, pod: str) -> tuple[int, str | None]:
        """How often the container has been restarted, and why the last instance ended, by the kubelet's status."""
        text = self.lab.kubectl("-n", self.namespace, "get", "pod", pod, "-o", "json")
        [status] = json.loads(text)["status"]["containerStatuses"]
        return status["restartCount"], status.get("lastState", {}).get("terminated", {}).get("reason")

    def restart_by(self, pod: str, reason: str, cause: Callable[[], object]) -> str | None:
        """Do something that ends a container and wait for the kubelet to start it again; why it ended, by the kubelet.

        What the truth remembers is the kubelet's word, not the expected one.
        """
        before, _ = self.instance(pod)
        with self.change("Pod", pod, "restart", "kubelet", reason=reason, automated=True) as row:
            cause()
            until(lambda: self.instance(pod)[0] > before, seconds=120, what=f"restart of {pod} ({reason})")
            row["reason"] = self.instance(pod)[1]
        return row["reason"]  # type: ignore[no-any-return]

    def kill(self, pod_uid: str) -> None:
        """``kill -9`` a container's first process from the node."""
        marker = f"POD_UID={pod_uid}".encode()
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdigit() and marker in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
                    return
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        raise LookupError(f"no process of pod {pod_uid}")

    # -- servers ---------------------------------------------------------------------------------

    @contextmanager
    def outage(self, what: str) -> Iterator[None]:
        """Stop Elasticsearch for the length of the block; its data stay."""
        facts = self.lab.elasticsearch
        with self.change("Elasticsearch", what, "outage", "lab"):
            run(*facts["stop"])
            yield
            run(*facts["start"])
            until(self._elastic_up, seconds=120, what="Elasticsearch up")

    def _elastic_up(self) -> bool:
        try:
            health = self.lab.elastic("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s", timeout=3)
        except (OSError, RuntimeError):
            return False
        return health["status"] in ("yellow", "green")

    @contextmanager
    def freeze(self) -> Iterator[None]:
        """Stop Elasticsearch's process with SIGSTOP: requests hang, time out and are retried."""
        pid = int(Path(self.lab.elasticsearch["pid_file"]).read_text().split()[0])
        with self.change("Elasticsearch", "node", "freeze", "lab"):
            os.kill(pid, signal.SIGSTOP)
            try:
                yield
            finally:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def broker_down(self, number: int) -> Iterator[None]:
        """Stop one RabbitMQ node for the length of the block."""
        node = self.lab.facts["rabbitmq"]["nodes"][number]
        with self.change("RabbitMQ", node["name"], "stop", "lab"):
            run(*node["stop"])
        yield
        with self.change("RabbitMQ", node["name"], "start", "lab"):
            run(*node["start"])

    def give_next_address(self, address: str) -> None:
        """Make the pod network hand out this address next, so that a finished Job's address is reused."""
        allocator = Path(self.lab.facts["kubernetes"]["cni_ipam"]) / "lab"
        first, last = address.rsplit(".", 1)
        for pointer in allocator.glob("last_reserved_ip.*"):
            pointer.write_text(f"{first}.{int(last) - 1}")


def _is_ready(pod: dict[str, Any], image: str | None) -> bool:
    """The status may name the image by another tag of the same content, so the specification is asked."""
    statuses = pod["status"].get("containerStatuses") or []
    written = pod["spec"]["containers"][0]["image"]
    return bool(statuses) and all(status["ready"] for status in statuses) and (image is None or written.endswith(image))
