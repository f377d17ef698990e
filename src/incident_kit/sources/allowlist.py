"""Read-only by construction: the one list of requests that may ever be sent.

Every source passes each request through `permit` before it leaves; what is not listed here raises and is never sent.
"""

from __future__ import annotations

import re

_NAME = r"[A-Za-z0-9._:%~-]+"
_INDEX = r"[^/?#]+"

_ALLOWED: dict[str, tuple[tuple[str, str], ...]] = {
    "kubernetes": (
        ("GET", r"/(version|readyz)"),
        ("GET", rf"/apis(/{_NAME}/{_NAME})?|/api/v1"),
        # Lists and single objects; a third path element (exec, attach, portforward, proxy ...) is never matched.
        ("GET", rf"/(api|apis/{_NAME})/{_NAME}/(namespaces/{_NAME}/)?[a-z]+(/{_NAME})?"),
        ("GET", rf"/api/v1/namespaces/{_NAME}/pods/{_NAME}/log"),
        ("POST", r"/apis/authorization\.k8s\.io/v1/selfsubject(access|rules)reviews"),
        ("POST", r"/apis/authentication\.k8s\.io/v1/selfsubjectreviews"),
    ),
    # Needs the powerful nodes/proxy: only when the user asked for rotated files.
    "kubernetes-node-logs": (("GET", rf"/api/v1/nodes/{_NAME}/proxy/logs/[\w./:%~-]*"),),
    "elasticsearch": (
        ("GET", r"/"),
        ("HEAD", r"/"),
        ("POST", rf"(/{_INDEX})?/_search"),
        ("POST", rf"/{_INDEX}/_pit"),
        ("DELETE", r"/_pit"),
        ("GET", rf"(/{_INDEX})?/_mapping"),
        ("GET", rf"(/{_INDEX})?/_field_caps"),
        ("POST", rf"(/{_INDEX})?/_(count|field_caps)"),
        ("GET", rf"(/{_INDEX})?/_count"),
        ("POST", r"/_security/user/_has_privileges"),
        ("GET", rf"/_resolve/index/{_INDEX}"),
        ("GET", rf"/_cat/[a-z]+(/{_INDEX})?"),
    ),
    "rabbitmq": (("GET", r"/api/.*"),),
}
_COMPILED = {
    system: tuple((method, re.compile(pattern)) for method, pattern in rules) for system, rules in _ALLOWED.items()
}


class ForbiddenRequest(RuntimeError):
    """A request that the kit must never send; a mistake in the kit, not in its use."""


def permit(system: str, method: str, path: str) -> None:
    """Let a request pass, or raise.

    Args:
        system: kubernetes, kubernetes-node-logs, elasticsearch or rabbitmq.
        method: HTTP method.
        path: path of the URL without query, below any base path of the server.

    Raises:
        ForbiddenRequest: the request is not on the list.
    """
    plain = path.partition("?")[0]
    rules = _COMPILED[system]
    # An encoded slash or a parent folder could smuggle a third path element past the patterns.
    smuggled = "%2f" in plain.lower() or "/../" in f"{plain}/" or "//" in plain
    if (smuggled and system != "rabbitmq") or not any(
        method.upper() == allowed and pattern.fullmatch(plain) for allowed, pattern in rules
    ):
        raise ForbiddenRequest(f"{system}: {method} {plain} is not on the allow-list")
