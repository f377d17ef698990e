"""Elasticsearch: every document of a query by point in time and ``search_after`` in slices, as raw bytes.

Complete or flagged: what was fetched is compared with what the same point in time counts, and failed shards, time-outs
and silently narrowed queries are told, all of which the server answers with HTTP 200.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import elastic_transport
import orjson
from elasticsearch import Elasticsearch

from incident_kit.errors import SourceDenied, SourceError, SourceIncomplete, SourceUnreachable
from incident_kit.sources.allowlist import permit
from incident_kit.sources.slices import KEEP_ALIVE, PointInTimeLost, Reading, Slice, drain, page_body

SOURCE = "elasticsearch"
_RETRIES = 4
#: How often a reading whose point in time is lost is begun.
_OPENED = 3
_RETRIED = frozenset({429, 502, 503, 504})
_JSON = {"accept": "application/json", "content-type": "application/json"}


class _ReadOnlyNode(elastic_transport.Urllib3HttpNode):
    """The client's connection, which refuses whatever is not on the allow-list."""

    def perform_request(self, method: str, target: str, *args: Any, **kwargs: Any) -> Any:
        """Send one permitted request."""
        permit(SOURCE, method, target)
        return super().perform_request(method, target, *args, **kwargs)


class Search:
    """One Elasticsearch (or one environment of it).

    Args:
        url: address without user information.
        api_key: encoded API key.
        basic: user and password.
        timeout_seconds: for one answer.
        verify: False to accept any certificate.
        ca_certificate: file of the authority that signed the server's.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        basic: tuple[str, str] | None = None,
        timeout_seconds: float = 60.0,
        verify: bool = True,
        ca_certificate: str | None = None,
    ) -> None:
        tls: dict[str, Any] = {}
        if url.startswith("https"):
            # The profile says it when certificates are not verified; a warning on every page would say nothing more.
            tls = {"verify_certs": verify, "ssl_show_warn": False}
            if ca_certificate:
                tls["ca_certs"] = str(Path(ca_certificate).expanduser())
        self._client = Elasticsearch(
            url,
            api_key=api_key,
            basic_auth=basic,
            request_timeout=timeout_seconds,
            node_class=_ReadOnlyNode,
            max_retries=0,
            connections_per_node=20,
            **tls,
        )
        self._node = self._client.transport.node_pool.get()
        self._headers = elastic_transport.HttpHeaders({**_JSON, **_authorisation(api_key, basic)})
        self._timeout = timeout_seconds
        self.url = url

    def ask(self, method: str, target: str, body: Any = None, *, what: str = "") -> Any:
        """One decoded answer; see `raw`."""
        data = self.raw(method, target, body, what=what)
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise SourceIncomplete(SOURCE, what or target, f"the answer is no JSON: {error}") from error

    def raw(self, method: str, target: str, body: Any = None, *, what: str = "") -> bytes:
        """The bytes of one answer, tried again with growing pauses while the server is busy or away.

        Raises:
            SourceDenied, SourceUnreachable, SourceError: as the server answered at last.
        """
        encoded = orjson.dumps(body) if body is not None else None
        for attempt in range(_RETRIES + 1):
            try:
                meta, data = self._node.perform_request(
                    method, target, encoded, headers=self._headers, request_timeout=self._timeout
                )
            except elastic_transport.TransportError as error:
                problem: SourceError = SourceUnreachable(
                    SOURCE, what or target, f"no answer from {self.url}: {error.message}", "Check url and network."
                )
                if isinstance(error, elastic_transport.TlsError):
                    problem.remedy = "Check that the url's scheme is right, and set elasticsearch.ca_certificate to the authority's file."
                    raise problem from error
                if isinstance(error, elastic_transport.ConnectionTimeout):
                    # It had elasticsearch.timeout_seconds; four more of them would hold up everything else.
                    problem.remedy = "Repeat the capture when it has recovered, or raise elasticsearch.timeout_seconds."
                    raise problem from error
            else:
                if meta.status < 400:
                    return bytes(data)
                problem = _refusal(what or target, meta.status, bytes(data or b""))
                if meta.status not in _RETRIED:
                    raise problem
            if attempt < _RETRIES:
                time.sleep(min(8.0, 0.25 * 2**attempt) * (0.75 + random.random() / 2))
        raise problem

    def open_point_in_time(self, indices: Sequence[str], what: str) -> str:
        """Open a point in time over indices; partial views are refused by the server."""
        target = f"/{index_path(indices)}/_pit?keep_alive={KEEP_ALIVE}&ignore_unavailable=true"
        return str(self.ask("POST", target, what=what)["id"])

    def close_point_in_time(self, identifier: str) -> None:
        """Free a point in time; one that is gone already is fine."""
        try:
            self.raw("DELETE", "/_pit", {"id": identifier}, what="closing the point in time")
        except SourceError:
            return

    def documents(
        self,
        indices: Sequence[str],
        query: dict[str, Any],
        *,
        slices: int,
        page_size: int,
        what: str,
        reading: Reading,
        write: Callable[[int, bytes], None],
        limit: int | None = None,
    ) -> None:
        """Read all documents of a query and hand them over as newline-delimited hits.

        Args:
            indices: patterns to search.
            query: query clause.
            slices: how many readers run side by side.
            page_size: documents in one answer.
            what: how gaps name this reading.
            reading: filled with counts and problems.
            write: takes (slice number, whole lines); called from several threads.
            limit: stop after so many documents (the rest is a problem of the reading).
        """

        def ask(body: dict[str, Any]) -> bytes:
            return self.raw("POST", "/_search?request_cache=false", body, what=what)

        def readers(pit: str) -> list[Slice]:
            share = limit and -(-limit // slices)
            bodies = (page_body(pit, query, page_size, number, slices) for number in range(slices))
            return [Slice(ask, body, number, reading, share) for number, body in enumerate(bodies)]

        for _ in range(_OPENED):
            reading.lost.clear()
            self._read_point_in_time(indices, what, readers, reading, write)
            if not reading.lost.is_set():
                break
            # What came stays: hits that come twice are known by their _id.
        else:
            reading.note(
                f"the server lost the point in time {_OPENED} times: {reading.fetched} of {reading.expected} documents came"
            )
        if reading.fetched < reading.expected and not reading.problems:
            reading.note(f"{reading.fetched} of {reading.expected} documents came")

    def _read_point_in_time(
        self,
        indices: Sequence[str],
        what: str,
        readers_of: Callable[[str], list[Slice]],
        reading: Reading,
        write: Callable[[int, bytes], None],
    ) -> None:
        """Open a point in time and read it; the counts of the reading are those of the last one."""
        pit = self.open_point_in_time(indices, what)
        reading.opened_at = time.time_ns()
        readers = readers_of(pit)
        try:
            with ThreadPoolExecutor(len(readers), thread_name_prefix="elasticsearch") as pool:
                for outcome in [pool.submit(drain, reader, write) for reader in readers]:
                    outcome.result()
        except BaseException:  # Ctrl-C: the other slices end with the page they are at
            reading.stopping.set()
            raise
        finally:
            self.close_point_in_time(pit)
        reading.expected = sum(reader.expected for reader in readers)
        reading.fetched = sum(reader.fetched for reader in readers)

    def resolve(self, pattern: str) -> dict[str, Any]:
        """Indices, aliases and data streams that a pattern names, closed and hidden ones too; a name of nothing is refused."""
        target = f"/_resolve/index/{index_path([pattern])}?expand_wildcards=all"
        answer = self.ask("GET", target, what=f"indices of {pattern}")
        return answer if isinstance(answer, dict) else {}

    def mapping(self, indices: Sequence[str]) -> dict[str, Any]:
        """Mappings of the indices, as served."""
        answer = self.ask("GET", f"/{index_path(indices)}/_mapping?ignore_unavailable=true", what="mapping")
        return answer if isinstance(answer, dict) else {}

    def field_types(self, indices: Sequence[str], fields: Sequence[str]) -> dict[str, set[str]]:
        """Types of those fields that exist, by name; several types where indices differ."""
        target = (
            f"/{index_path(indices)}/_field_caps?fields={quote(','.join(fields), safe=',.*@')}&ignore_unavailable=true"
        )
        answer = self.ask("GET", target, what="field capabilities")
        return {name: set(kinds) for name, kinds in (answer.get("fields") or {}).items()}


def _authorisation(api_key: str | None, basic: tuple[str, str] | None) -> dict[str, str]:
    if api_key:
        return {"authorization": f"ApiKey {api_key}"}
    if basic:
        import base64

        return {"authorization": "Basic " + base64.b64encode(":".join(basic).encode()).decode()}
    return {}


def index_path(indices: Sequence[str]) -> str:
    """Index patterns as a path element."""
    return quote(",".join(indices), safe=",*-._:+<>")


def _refusal(what: str, status: int, body: bytes) -> SourceError:
    try:
        error = orjson.loads(body).get("error") or {}
    except (orjson.JSONDecodeError, AttributeError):
        error = {}
    causes = (error.get("root_cause") or [error]) if isinstance(error, dict) else []
    reasons = "; ".join(dict.fromkeys(f"{c.get('type')}: {c.get('reason')}" for c in causes if isinstance(c, dict)))
    reason = (reasons or str(error or "") or body[:200].decode("utf-8", "replace") or "no reason given")[:500]
    kinds = {cause.get("type") for cause in causes if isinstance(cause, dict)}
    if "search_context_missing_exception" in kinds:
        return PointInTimeLost(SOURCE, what, reason, "Repeat the capture.")
    if "cluster_block_exception" in kinds and status == 403:
        return SourceDenied(
            SOURCE, what, reason, "The index is blocked: lift index.blocks.read, then repeat the capture."
        )
    if status == 401:
        return SourceDenied(
            SOURCE, what, reason, "The key or password is wrong, expired or invalidated: make a new one."
        )
    if status == 403:
        return SourceDenied(SOURCE, what, reason, "Grant the indices privileges read and view_index_metadata.")
    if status in _RETRIED:
        return SourceUnreachable(SOURCE, what, f"HTTP {status}: {reason}", "Repeat the capture when it has recovered.")
    if status == 404:
        return SourceIncomplete(SOURCE, what, reason)
    return SourceError(SOURCE, what, f"HTTP {status}: {reason}")
