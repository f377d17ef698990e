"""Starts a node and returns once it answers; the secured one with its users and an API key."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import urllib.error
import urllib.request

from tests.lab.servers import bridge
from tests.lab.servers.elasticsearch.build import java
from tests.lab.servers.elasticsearch.settings import LOG_INDICES, SHARED, USERS, Node
from tests.lab.servers.folders import password, write_private
from tests.lab.servers.processes import LabError

ROLES = f"""log_reader:
  cluster: [monitor]
  indices:
    - names: ['{LOG_INDICES}']
      privileges: [read, view_index_metadata]
"""


def _settings(node: Node) -> list[str]:
    settings = {
        "cluster.name": "lab" if not node.secured else "lab-secure",
        "node.name": "node-1",
        "discovery.type": "single-node",
        "transport.host": "127.0.0.1",
        "transport.port": node.transport_port,
        "http.host": f"127.0.0.1,{bridge.HOST_ADDRESS}",
        "http.port": node.http_port,
        # The lab's disk may be as full as the machine's.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    if node.secured:
        settings |= {
            "xpack.security.enabled": "true",
            "xpack.security.http.ssl.enabled": "false",
            "xpack.security.transport.ssl.enabled": "false",
        }
    return [*(f"{key}={value}" for key, value in settings.items()), *node.more]


def _java_options(node: Node) -> list[str]:
    return [
        f"-Xms{node.heap}", f"-Xmx{node.heap}", "-XX:+UseG1GC",
        f"-Djava.io.tmpdir={node.home / 'tmp'}", f"-XX:HeapDumpPath={node.home / 'tmp'}",
        f"-Des.path.home={node.home}", f"-Des.nativelibs.path={SHARED / 'native'}",
        # The vector library is not on Maven Central.
        "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
        "--enable-native-access=ALL-UNNAMED", "--add-opens=java.base/java.io=ALL-UNNAMED",
        "-Dio.netty.noUnsafe=true", "-Dio.netty.noKeySetOptimization=true",
        "-Dio.netty.recycler.maxCapacityPerThread=0", "-Djava.locale.providers=CLDR",
        # Else logging ends before the node says that it stops.
        "-Dlog4j.shutdownHookEnabled=false",
    ]  # fmt: skip


def _password_hash(text: str) -> str:
    """A password as Elasticsearch's file realm reads it: PBKDF2 needs nothing beyond Python."""
    salt, rounds = secrets.token_bytes(32), 10000
    key = hashlib.pbkdf2_hmac("sha512", text.encode(), salt, rounds, 32)
    return f"{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def _write_users(node: Node) -> None:
    folder = node.home / "config"
    if (folder / "users").exists():
        return
    hashes = {user: _password_hash(password(node.home, user)) for user in USERS}
    (folder / "roles.yml").write_text(ROLES)
    (folder / "users_roles").write_text("".join(f"{role}:{user}\n" for user, role in USERS.items() if role))
    write_private(folder / "users", "".join(f"{user}:{text}\n" for user, text in hashes.items()))


def _administrator(node: Node) -> str:
    pair = f"admin:{password(node.home, 'admin')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _ask(node: Node, method: str, path: str, authorization: str | None, body: object = None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", **({"Authorization": authorization} if authorization else {})}
    payload = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(node.url + path, payload, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=120) as answer:
        found: dict[str, str] = json.loads(answer.read())
        return found


def _ensure_api_key(node: Node) -> None:
    """An API key that may read the log indices and nothing else; kept while the node knows it."""
    path = node.home / "passwords" / "api-key"
    if path.exists():
        try:
            _ask(node, "GET", "/_security/_authenticate", f"ApiKey {path.read_text()}")
            return
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
    privileges = {"names": [LOG_INDICES], "privileges": ["read", "view_index_metadata"]}
    role = {"log_reader": {"cluster": ["monitor"], "indices": [privileges]}}
    body = {"name": "incident-kit", "role_descriptors": role}
    try:
        write_private(path, _ask(node, "POST", "/_security/api_key", _administrator(node), body)["encoded"])
    except urllib.error.HTTPError as error:
        raise LabError(
            f"{node.name}: no API key: {error.code} {error.read()[:500]!r}\n{node.process.log_tail()}"
        ) from error


def _is_recovered(node: Node) -> bool:
    """Whether every index has a shard that answers: before that the node knows none of its API keys.

    It answers HTTP before, with 401 to whoever does not say who asks and with 408 to whoever waits for the shards.
    """
    try:
        authorization = _administrator(node) if node.secured else None
        health = _ask(node, "GET", "/_cluster/health?wait_for_status=yellow&timeout=1s", authorization)
    except (OSError, http.client.HTTPException):
        return False
    return health["status"] in ("yellow", "green")


def start(node: Node) -> None:
    """Start one node; nothing to do when it runs."""
    bridge.up()
    if node.secured:
        _write_users(node)
    class_path = f"{SHARED / 'lib'}/*:{SHARED / 'classes'}"
    command = (java(), *_java_options(node), "-cp", class_path, "lab.Launcher", node.home, *_settings(node))
    node.process.spawn(*command, port=node.http_port, cwd=node.home)
    node.process.wait(lambda: _is_recovered(node), seconds=240, what=f"answers on {node.url}")
    if node.secured:
        _ensure_api_key(node)
