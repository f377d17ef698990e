"""Console logs through the Kubernetes log API: what can be fetched of a pod, and the traps of its answers.

Measured on a real 1.37 server: the API serves the newest file only, cuts ``sinceTime`` to whole seconds, and answers
HTTP 200 with "unable to retrieve container logs" when a dead instance's file is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote

import urllib3

from incident_kit.errors import SourceUnreachable
from incident_kit.lines import whole_lines
from incident_kit.sources.kubernetes import Cluster

_CHUNK = 1 << 20
UNRETRIEVABLE = b"unable to retrieve container logs for "


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFile:
    """One log that the API may have: of a container's running (or last) instance, or of the one before it.

    Attributes:
        container_id: identity of the instance by the status read before; None when the status names none.
    """

    namespace: str
    pod: str
    pod_uid: str
    container: str
    previous: bool
    restart_count: int
    container_id: str | None

    @property
    def relative(self) -> str:
        """Path in the raw layout."""
        suffix = ".previous.log" if self.previous else ".log"
        return f"console/{self.namespace}/{self.pod}/{self.container}{suffix}"


def console_files(pod: dict[str, Any]) -> list[ConsoleFile]:
    """The logs that exist by a pod's status, previous ones first: they die first."""
    metadata, status = pod.get("metadata", {}), pod.get("status", {})
    found: list[ConsoleFile] = []
    for group in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for container in status.get(group) or []:
            found += _files_of(metadata, container)
    return sorted(found, key=lambda file: not file.previous)


def _files_of(metadata: dict[str, Any], container: dict[str, Any]) -> Iterator[ConsoleFile]:
    state, last = container.get("state") or {}, container.get("lastState") or {}
    current_id = container.get("containerID") or None
    dead_id = (last.get("terminated") or {}).get("containerID")
    common = {
        "namespace": str(metadata.get("namespace")),
        "pod": str(metadata.get("name")),
        "pod_uid": str(metadata.get("uid")),
        "container": str(container.get("name")),
    }
    count = int(container.get("restartCount") or 0)
    # While waiting in CrashLoopBackOff, current and previous are the same text: the last dead instance's.
    same = "waiting" in state and dead_id is not None and dead_id == current_id
    if dead_id and not same:
        yield ConsoleFile(**common, previous=True, restart_count=max(count - 1, 0), container_id=dead_id)
    if current_id or dead_id:
        yield ConsoleFile(**common, previous=False, restart_count=count, container_id=current_id or dead_id)


def read_console(cluster: Cluster, file: ConsoleFile, since: str | None) -> Iterator[bytes]:
    """A log in blocks of whole lines, with the kubelet's timestamps.

    Args:
        cluster: where the pod runs.
        file: which log.
        since: RFC 3339 time of the first line wanted; the server cuts it to the second before.

    Raises:
        SourceError: refused, unreachable, or torn in the middle.
    """
    path = f"/api/v1/namespaces/{quote(file.namespace, safe='')}/pods/{quote(file.pod, safe='')}/log"
    query = {"container": file.container, "timestamps": "true"}
    if file.previous:
        query["previous"] = "true"
    if since:
        query["sinceTime"] = since
    with cluster.stream("GET", path, query) as response:
        yield from whole_lines(_chunks(cluster, path, response))


def _chunks(cluster: Cluster, path: str, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from response.stream(_CHUNK, decode_content=True)
    except urllib3.exceptions.HTTPError as error:
        raise SourceUnreachable(cluster.source, path, f"the log broke off: {error}", "Repeat the capture.") from error


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the names that a folder's page links to."""
        if tag == "a":
            self.names += [unquote(value) for name, value in attrs if name == "href" and value]


_KUBELET_FILE = re.compile(r"(\d+)\.log(\.\d{8}-\d{6})?(\.gz)?")


def rotated_files(cluster: Cluster, file: ConsoleFile, node: str) -> list[str]:
    """Names of the kubelet's own files of one container, through the node's log endpoint."""
    with cluster.stream("GET", _node_folder(file, node), system="kubernetes-node-logs") as response:
        page = response.read().decode("utf-8", "replace")
    links = _Links()
    links.feed(page)
    return [name for name in links.names if _KUBELET_FILE.fullmatch(name)]


def read_rotated(cluster: Cluster, file: ConsoleFile, node: str, name: str) -> Iterator[bytes]:
    """One of the kubelet's own files, as it is on the node's disk."""
    path = _node_folder(file, node) + quote(name)
    with cluster.stream("GET", path, system="kubernetes-node-logs") as response:
        yield from _chunks(cluster, path, response)


def _node_folder(file: ConsoleFile, node: str) -> str:
    pod = f"{quote(file.namespace)}_{quote(file.pod)}_{quote(file.pod_uid)}"
    return f"/api/v1/nodes/{quote(node, safe='')}/proxy/logs/pods/{pod}/{quote(file.container)}/"
