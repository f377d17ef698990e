"""Capture of Kubernetes: what dies first first, and the status before and after the logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from incident_kit.capture.session import Session
from incident_kit.errors import SourceDenied, SourceError, SourceIncomplete
from incident_kit.lines import whole_lines
from incident_kit.sources.console import (
    UNRETRIEVABLE,
    ConsoleFile,
    console_files,
    read_console,
    read_rotated,
    rotated_files,
)
from incident_kit.sources.kubernetes import SERVED, Cluster, NotServed
from incident_kit.window import SECOND, format_ns

#: Seconds of console kept before the window: an entry's neighbours, and lines that the kubelet stamped early.
MARGIN_SECONDS = 120
_ROUNDS = 3
_FIRST = ("events", "pods")
_LATER = tuple(plural for plural in SERVED if plural not in (*_FIRST, "applications"))
_DENIED_LOG = (
    "kubectl create clusterrolebinding incident-kit --clusterrole=incident-kit --user=YOU, see deploy/rbac.yaml"
)


def capture_kubernetes(session: Session, *, rotated: bool) -> None:
    """Events and pods, previous consoles, all other objects, current consoles, status again."""
    settings = session.profile.kubernetes
    try:
        cluster = Cluster(
            context=settings.context,
            kubeconfig=settings.kubeconfig,
            parallel=settings.parallel,
            timeout_seconds=settings.timeout_seconds,
        )
    except SourceError as error:
        session.gap(error)
        session.progress(f"kubernetes: {error.reason}")
        return
    for plural in _FIRST:
        capture_list(session, cluster, plural)
    if not session.pods and session.journal.done("kubernetes pods"):
        session.pods = _listed(session, cluster)
    consoles = Consoles(session, cluster, rotated=rotated)
    consoles.fetch(previous=True)
    with ThreadPoolExecutor(2, thread_name_prefix="kubernetes") as pool:
        for outcome in [pool.submit(capture_list, session, cluster, plural) for plural in _LATER]:
            outcome.result()
    consoles.fetch(previous=False)
    consoles.settle()


def capture_list(
    session: Session, cluster: Cluster, plural: str, keep: Callable[[dict[str, Any]], bool] = lambda _: True
) -> bool:
    """One list into the raw layout, of a snapshot only what earlier ones do not hold; whether it came whole."""

    def action() -> str:
        count = session.store.objects(
            f"kubernetes/{plural}.json",
            filter(keep, _remembered(session, plural, _everywhere(session, cluster, plural))),
            lambda item: session.store.redactor.document(plural, item),
        )
        return f"{count}"

    return session.step(f"kubernetes {plural}", "kubernetes", action)


def _everywhere(session: Session, cluster: Cluster, plural: str) -> Iterator[dict[str, Any]]:
    """All namespaces, or those of the scope and the profile."""
    namespaced = SERVED[plural][1]
    scope = session.scope.pod_namespace
    wanted: tuple[str | None, ...] = (scope,) if scope else session.profile.kubernetes.namespaces or (None,)
    for namespace in wanted if namespaced else (None,):
        yield from cluster.list(plural, namespace)


def _remembered(session: Session, plural: str, items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        if plural == "pods":
            session.pods.append(item)
        yield item


def _listed(session: Session, cluster: Cluster) -> list[dict[str, Any]]:
    try:
        return list(_everywhere(session, cluster, "pods"))
    except SourceError as error:
        session.gap(error)
        return []


class Consoles:
    """The console logs of all pods in scope, and the check that each is the instance's that it is filed under."""

    def __init__(self, session: Session, cluster: Cluster, *, rotated: bool) -> None:
        self._session, self._cluster, self._rotated = session, cluster, rotated
        self._since = _since(session)
        self._denied: set[str] = set()
        self._bytes = 0
        self._read: dict[ConsoleFile, bool] = {}

    def fetch(self, *, previous: bool) -> None:
        """Read all previous, or all current, logs side by side."""
        pods = [pod for pod in self._session.pods if self._session.scope.includes(pod)]
        files = [file for pod in pods for file in console_files(pod) if file.previous is previous]
        name = f"console {'previous' if previous else 'current'}"

        def action() -> str:
            self._bytes = 0
            self._fetch(files)
            return f"{len(files)} logs of {len(pods)} pods, {self._bytes / 1e6:.1f} MB"

        if files or not previous:
            self._session.step(name, "console", action)
        if self._rotated and not previous:
            self._session.step("console rotated", "console", lambda: self._fetch_rotated(pods))

    def settle(self) -> None:
        """Read the status again; logs of containers that restarted meanwhile are read anew."""
        if not self._read:
            return
        for round_number in range(_ROUNDS):
            again = _listed(self._session, self._cluster)
            changed = self._restarted(again)
            if not changed:
                return
            self._session.progress(f"console: {len(changed)} containers restarted while being read; reading them again")
            self._keep_status(again, {file.pod_uid for file in changed})
            for file in changed:
                self._read.pop(file)
            keys = {(file.pod_uid, file.container) for file in changed}
            files = [f for pod in again for f in console_files(pod) if (f.pod_uid, f.container) in keys]
            if round_number == _ROUNDS - 1:
                break
            self._fetch(files)
        for file in changed:
            self._gap(file, "it restarted again and again while it was read; the instance may be the one before", "")

    def _restarted(self, pods: list[dict[str, Any]]) -> list[ConsoleFile]:
        now = {(f.pod_uid, f.container, f.previous): f.container_id for pod in pods for f in console_files(pod)}
        alive = {str(pod.get("metadata", {}).get("uid")) for pod in pods}
        return [
            file
            for file in self._read
            if file.pod_uid in alive
            and now.get((file.pod_uid, file.container, file.previous), file.container_id) != file.container_id
        ]

    def _keep_status(self, pods: list[dict[str, Any]], uids: set[str]) -> None:
        """Both statuses are evidence: the earlier remembers one instance more."""
        later = [pod for pod in pods if pod.get("metadata", {}).get("uid") in uids]
        self._session.pods += later
        redactor = self._session.store.redactor
        self._session.store.objects("kubernetes/pods.json", self._session.pods, lambda p: redactor.document("pods", p))

    def _fetch(self, files: list[ConsoleFile]) -> None:
        parallel = self._session.profile.kubernetes.parallel
        with ThreadPoolExecutor(parallel, thread_name_prefix="console") as pool:
            for outcome in [pool.submit(self._fetch_one, file) for file in files]:
                outcome.result()

    def _fetch_one(self, file: ConsoleFile) -> None:
        if file.namespace in self._denied or self._session.stopping.is_set():
            return
        try:
            blocks = self._blocks(file, read_console(self._cluster, file, self._since))
            size, lines = self._session.store.text_and_lines(f"{file.relative}.gz", blocks)
            self._bytes += size
            self._session.console_lines[file.pod] += lines
        except SourceDenied as error:
            if file.namespace not in self._denied:
                self._denied.add(file.namespace)
                self._session.gap(
                    SourceDenied("console", f"all logs in namespace {file.namespace}", error.reason, _DENIED_LOG),
                    "console",
                )
        except NotServed:
            self._gap(file, "the pod was deleted before its log could be read", "Elasticsearch may have its entries.")
        except SourceError as error:
            self._gap(file, error.reason, error.remedy)
        else:
            self._read[file] = True

    def _blocks(self, file: ConsoleFile, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The log, unless the kubelet answered with a sentence instead of it."""
        for number, block in enumerate(blocks):
            if number == 0 and block.startswith(UNRETRIEVABLE):
                reason = block.splitlines()[0].decode("utf-8", "replace")[:200]
                raise SourceIncomplete("console", file.relative, f"the kubelet answered: {reason}", "The file is gone.")
            yield block

    def _fetch_rotated(self, pods: list[dict[str, Any]]) -> str:
        count = 0
        for pod in pods:
            node = str(pod.get("spec", {}).get("nodeName") or "")
            for file in {f.container: f for f in console_files(pod)}.values() if node else ():
                try:
                    for name in rotated_files(self._cluster, file, node):
                        relative = f"console/{file.namespace}/{file.pod}/{file.container}/{name}"
                        self._write_rotated(file, node, name, relative)
                        count += 1
                except SourceError as error:
                    self._gap(
                        file, f"rotated files: {error.reason}", "Needs get on nodes/proxy: deploy/rbac-rotated.yaml"
                    )
        return f"{count} files"

    def _write_rotated(self, file: ConsoleFile, node: str, name: str, relative: str) -> None:
        blocks = read_rotated(self._cluster, file, node, name)
        if name.endswith(".gz"):
            blocks = _unzipped(blocks)
        self._session.store.text(f"{relative.removesuffix('.gz')}.gz", whole_lines(blocks))

    def _gap(self, file: ConsoleFile, reason: str, remedy: str) -> None:
        which = f"{file.namespace}/{file.pod}/{file.container}{' previous' if file.previous else ''}"
        self._session.gap(SourceIncomplete("console", which, reason, remedy), "console")


def _unzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    import zlib

    inflate = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        yield inflate.decompress(chunk)
    yield inflate.flush()


def _since(session: Session) -> str:
    start = session.context.window.start - MARGIN_SECONDS * SECOND
    text = format_ns(start) or ""
    return f"{text[:19]}Z"
