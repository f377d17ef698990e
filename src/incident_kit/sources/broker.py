"""The client of RabbitMQ's management API: short time-outs, then another node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx

from incident_kit.errors import SourceDenied, SourceError, SourceIncomplete, SourceUnreachable
from incident_kit.sources.allowlist import permit

SOURCE = "rabbitmq"
#: What is asked of the overview: its listeners and exchange types grow with the cluster.
_OVERVIEW = (
    "management_version,rabbitmq_version,product_name,product_version,erlang_version,cluster_name,node,object_totals,"
    "queue_totals,rates_mode,disable_stats"
)
#: Takes (what, reason, remedy) of something that is missing or cannot be trusted.
Gap = Callable[[str, str, str], None]


class Broker:
    """One RabbitMQ cluster through the management API of any of its nodes.

    Args:
        urls: management addresses; the first that answers in time serves.
        user: management user, best with the tag ``monitoring``.
        password: its password.
        timeout_seconds: for one answer; a frozen node makes every cluster-wide question hang.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        user: str,
        password: str,
        timeout_seconds: float = 5.0,
        verify: bool | str = True,
    ) -> None:
        self.urls = [url.rstrip("/").removesuffix("/api") for url in urls]
        self.user = user
        self.overview: dict[str, Any] = {}
        self._client = httpx.Client(
            auth=(user, password), timeout=httpx.Timeout(timeout_seconds, connect=3.0), verify=verify
        )
        self._url = ""

    def connect(self, gap: Gap) -> dict[str, Any]:
        """Choose the node to ask: one that answers and keeps statistics; the answer of whoami.

        Its overview stays in ``overview``.

        Raises:
            SourceDenied: every node refuses the user.
            SourceUnreachable: no node answers.
        """
        failure: SourceError = SourceUnreachable(
            SOURCE, "management API", "no address in the profile", "Set rabbitmq.urls."
        )
        without_statistics: tuple[str, dict[str, Any]] | None = None
        silent: list[tuple[str, str]] = []
        for url in self.urls:
            self._url = url
            try:
                who = self._object("/api/whoami")
                overview = self._object(f"/api/overview?columns={_OVERVIEW}")
            except SourceError as error:
                failure = error
                if not isinstance(error, SourceDenied):
                    silent.append((f"management API of {url}", error.reason))
                continue
            _tell(silent, "Another node was asked; check this one.", gap)
            silent = []
            self.overview = overview
            if overview.get("disable_stats") or "object_totals" not in overview:
                without_statistics = (url, who)
                continue
            return who
        if without_statistics:
            self._url = without_statistics[0]
            gap("statistics", "the nodes that answer run with management.disable_stats", "Ask a node with statistics.")
            return without_statistics[1]
        _tell(
            silent[:-1] if isinstance(failure, SourceUnreachable) else silent, failure.remedy, gap
        )  # the last one is the failure's
        raise failure

    def get(self, path: str) -> Any:
        """One decoded answer of the chosen node; when it does not answer in time, of the next one.

        Raises:
            SourceError: refused, or no node answers.
        """
        failure: SourceError | None = None
        for url in [self._url, *(u for u in self.urls if u != self._url)]:
            try:
                answer = self._get(url, path)
            except SourceUnreachable as error:
                failure = error
                continue
            self._url = url
            return answer
        raise failure or SourceUnreachable(SOURCE, path, "no address in the profile", "Set rabbitmq.urls.")

    def _object(self, path: str) -> dict[str, Any]:
        answer = self._get(self._url, path)
        return answer if isinstance(answer, dict) else {}

    def _get(self, url: str, path: str) -> Any:
        permit(SOURCE, "GET", path)
        try:
            response = self._client.get(url + path)
        except httpx.HTTPError as error:
            reason = f"no answer from {url}: {type(error).__name__} {error}".strip()
            raise SourceUnreachable(SOURCE, path, reason, "Check the node and the network.") from error
        if response.status_code >= 400:
            raise _refusal(path, response, self.user)
        try:
            return response.json()
        except ValueError as error:
            raise SourceIncomplete(SOURCE, path, f"the answer is no JSON: {error}") from error


def _tell(silent: list[tuple[str, str]], remedy: str, gap: Gap) -> None:
    """A gap for each node that did not answer."""
    for what, reason in silent:
        gap(what, reason, remedy)


def _refusal(path: str, response: httpx.Response, user: str) -> SourceError:
    reason = response.text[:300]
    try:
        document = response.json()
        reason = str(document.get("reason") or document.get("error") or reason)
    except (ValueError, AttributeError):
        pass  # not the API's own error: its text is the reason
    if response.status_code == 401:
        remedy = f"Check the password, or: rabbitmqctl set_user_tags {user} monitoring"
        return SourceDenied(SOURCE, path, reason, remedy)
    if response.status_code == 404:
        return SourceIncomplete(SOURCE, path, reason)
    if response.status_code >= 500:
        return SourceUnreachable(SOURCE, path, f"HTTP {response.status_code}: {reason}", "Check the broker's log.")
    return SourceError(SOURCE, path, f"HTTP {response.status_code}: {reason}")
