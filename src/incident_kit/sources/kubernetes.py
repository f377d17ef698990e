"""Kubernetes: lists of objects and console logs, as raw bytes, by a kubeconfig context or from inside a pod."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import urllib3
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config

from incident_kit.errors import SourceDenied, SourceError, SourceIncomplete, SourceUnreachable
from incident_kit.sources.allowlist import permit

PAGE = 500
_LOADING = threading.Lock()
#: Where each plural is served: the group's path and whether its objects live in namespaces.
SERVED: dict[str, tuple[str, bool]] = {
    "events": ("/api/v1", True),
    "pods": ("/api/v1", True),
    "replicasets": ("/apis/apps/v1", True),
    "deployments": ("/apis/apps/v1", True),
    "jobs": ("/apis/batch/v1", True),
    "cronjobs": ("/apis/batch/v1", True),
    "nodes": ("/api/v1", False),
    "statefulsets": ("/apis/apps/v1", True),
    "daemonsets": ("/apis/apps/v1", True),
    "configmaps": ("/api/v1", True),
    "secrets": ("/api/v1", True),
    "services": ("/api/v1", True),
    "endpointslices": ("/apis/discovery.k8s.io/v1", True),
    "ingresses": ("/apis/networking.k8s.io/v1", True),
    "networkpolicies": ("/apis/networking.k8s.io/v1", True),
    "namespaces": ("/api/v1", False),
    "horizontalpodautoscalers": ("/apis/autoscaling/v2", True),
    "controllerrevisions": ("/apis/apps/v1", True),
    "serviceaccounts": ("/api/v1", True),
    "persistentvolumeclaims": ("/api/v1", True),
    "poddisruptionbudgets": ("/apis/policy/v1", True),
    "applications": ("/apis/argoproj.io/v1alpha1", True),
}


class Cluster:
    """One Kubernetes API server. Safe to use from several threads.

    Args:
        context: kubeconfig context; None is the current one.
        kubeconfig: path of the kubeconfig; None is kubectl's usual search, then the pod's own service account.
        parallel: how many requests may run at once.
        timeout_seconds: for connecting, and between two pieces of an answer.
        source: how gaps name this system.
    """

    def __init__(
        self,
        *,
        context: str | None = None,
        kubeconfig: str | None = None,
        parallel: int = 16,
        timeout_seconds: float = 30.0,
        source: str = "kubernetes",
    ) -> None:
        self.source = source
        self.context = context
        # The client library writes certificates of a kubeconfig to files that it announces before they are written:
        # two clusters loaded at once would read each other's empty ones.
        with _LOADING:
            configuration = _configuration(context, kubeconfig, source)
        configuration.connection_pool_maxsize = parallel + 4
        configuration.retries = False
        self._configuration = configuration
        self._client = kubernetes_client.ApiClient(configuration)
        self._pool = self._client.rest_client.pool_manager
        self._auth_lock = threading.Lock()
        self._timeout = urllib3.Timeout(connect=min(10.0, timeout_seconds), read=timeout_seconds)

    def list(self, plural: str, namespace: str | None = None, **selectors: str) -> Iterator[dict[str, Any]]:
        """Objects of one kind, page by page; each carries kind and apiVersion as kubectl writes them.

        Args:
            plural: one of `SERVED`.
            namespace: only this one; None is all.
            **selectors: labelSelector, fieldSelector.

        Raises:
            SourceDenied: the credentials may not list it.
            SourceUnreachable: the server does not answer.
            SourceIncomplete: the list changed faster than it could be read.
        """
        path = list_path(plural, namespace)
        token = ""
        seen: set[str] = set()
        for _restart in range(3):
            try:
                for page in self._pages(path, token, selectors):
                    kind = str(page.get("kind", "")).removesuffix("List")
                    for item in page.get("items") or []:
                        uid = str(item.get("metadata", {}).get("uid", ""))
                        if not uid or uid not in seen:
                            seen.add(uid)
                            yield {"kind": kind, "apiVersion": page.get("apiVersion"), **item}
            except _Expired as expired:
                # The server offers a token for the rest of the list, as it is now; without one: from the beginning.
                token = expired.token
                continue
            return
        raise SourceIncomplete(
            self.source, path, "the list's continue token expired three times", "Repeat the capture."
        )

    def _pages(self, path: str, token: str, selectors: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        while True:
            query = {"limit": str(PAGE), **selectors, **({"continue": token} if token else {})}
            page = self.json("GET", path, query)
            token = str(page.get("metadata", {}).get("continue") or "")
            yield page
            if not token:
                return

    def json(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None) -> dict[str, Any]:
        """One decoded answer."""
        with self.stream(method, path, query, body) as response:
            try:
                data = response.read()
            except urllib3.exceptions.HTTPError as error:
                raise self._unreachable(path, error) from error
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise SourceIncomplete(self.source, path, f"the answer is no JSON: {error}") from error
        return document if isinstance(document, dict) else {"items": document}

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        system: str = "kubernetes",
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """An answer whose body has not been read yet."""
        permit(system, method, path)
        url = f"{self._configuration.host.rstrip('/')}{path}"
        if query:
            url += "?" + urlencode(query)
        # Lists as JSON; the kubelet's own files (nodes/proxy) exist as they are only, and it insists on being asked so.
        headers = {"Accept": "application/json, */*", **self._authorisation()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._pool.request(
                method,
                url,
                headers=headers,
                body=orjson.dumps(body) if body is not None else None,
                preload_content=False,
                timeout=self._timeout,
                redirect=False,
                retries=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(path, error) from error
        try:
            if response.status >= 400:
                raise self._refusal(path, response.status, response.read(65_536))
            yield response
        finally:
            response.close()  # a body read to its end has given the connection back already

    def _authorisation(self) -> dict[str, str]:
        # Exec plug-ins (AKS) renew the token here; one thread at a time.
        with self._auth_lock:
            settings = self._configuration.auth_settings()
        return {s["key"]: s["value"] for s in settings.values() if s.get("in") == "header" and s.get("value")}

    def _unreachable(self, path: str, error: Exception) -> SourceUnreachable:
        return SourceUnreachable(
            self.source,
            path,
            f"no answer from {self._configuration.host}: {_short(error)}",
            "Check the network, the VPN and the kubeconfig context.",
        )

    def _refusal(self, path: str, status: int, body: bytes) -> SourceError:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            document = {}
        message = str(document.get("message") or body[:300].decode("utf-8", "replace") or f"HTTP {status}").strip()
        if status == 410:
            return _Expired(self.source, path, message, str(document.get("metadata", {}).get("continue") or ""))
        if status in (401, 403):
            remedy = (
                "The credentials expired or are unknown: log in again."
                if status == 401
                else "Ask for a role with this verb; deploy/rbac.yaml has all that the kit needs."
            )
            return SourceDenied(self.source, path, message, remedy)
        if status == 404:
            return NotServed(self.source, path, message)
        if status in (429, 500, 502, 503, 504):
            return SourceUnreachable(self.source, path, f"HTTP {status}: {message}", "Repeat the capture.")
        return SourceError(self.source, path, f"HTTP {status}: {message}")


class NotServed(SourceError):
    """The object, or the whole kind, does not exist on this server."""


class _Expired(SourceIncomplete):
    """HTTP 410: the list's continue token is too old."""

    def __init__(self, source: str, what: str, reason: str, token: str) -> None:
        self.token = token
        super().__init__(source, what, reason)


def list_path(plural: str, namespace: str | None = None) -> str:
    """The path of a list."""
    group, namespaced = SERVED[plural]
    if namespace and namespaced:
        return f"{group}/namespaces/{quote(namespace, safe='')}/{plural}"
    return f"{group}/{plural}"


def context_name(context: str | None, kubeconfig: str | None) -> str | None:
    """The kubeconfig context that would be used; None where there is no kubeconfig."""
    if context:
        return context
    try:
        _contexts, active = kubernetes_config.list_kube_config_contexts(config_file=kubeconfig)  # type: ignore[no-untyped-call]
    except kubernetes_config.ConfigException:
        return None
    return str(active["name"]) if active else None


def _configuration(context: str | None, kubeconfig: str | None, source: str) -> Any:
    configuration = kubernetes_client.Configuration()
    try:
        if context is None and kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            kubernetes_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            path = str(Path(kubeconfig).expanduser()) if kubeconfig else None
            kubernetes_config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path, context=context, client_configuration=configuration
            )
    except (kubernetes_config.ConfigException, OSError, ValueError) as error:
        absent = _absent_kubeconfig(kubeconfig)
        raise SourceUnreachable(
            source,
            f"kubeconfig context {context or '(current)'}",
            f"there is no kubeconfig at {absent}" if absent else _short(error),
            "Log in to the cluster, or name the file: KUBECONFIG, or kubernetes.kubeconfig in the profile"
            if absent
            else "Check kubernetes.context in the profile and KUBECONFIG: kubectl config get-contexts",
        ) from error
    return configuration


def _absent_kubeconfig(kubeconfig: str | None) -> str | None:
    """The place, or places, where a kubeconfig was looked for and is none; None where there is one."""
    places = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    there = any(Path(place).expanduser().is_file() for place in places.split(os.pathsep) if place)
    return None if there else places


def _short(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."
