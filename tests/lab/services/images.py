"""Pushes the services' images to the lab's registry: busybox, the code, a version.

A version is an image of its own with its own digest; version 1.5.0 of payments-api carries the
leak and the refused template in its environment, as a bad release does.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import urllib.request
from functools import cache
from pathlib import Path

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
IN_JAVA = ("orders-service", "losses-java")
IN_GO = ("payments-service", "node-agent", "losses-go")
BUSYBOX = Path("/bin/busybox")


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _layer(files: dict[str, bytes]) -> bytes:
    """A layer with busybox under all its names, the C library's usual places as links, and files."""
    buffer = io.BytesIO()
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    folders = ["bin", "tmp", "etc", "usr", "usr/bin", "app", "opt", "lab"]
    links = {f"bin/{name}": "busybox" for name in applets if name != "busybox"}
    links |= {"lib": "usr/lib", "lib64": "usr/lib64"}
    contents = {
        "bin/busybox": BUSYBOX.read_bytes(),
        "etc/passwd": b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
        **files,
    }
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in folders:
            archive.addfile(_member(name, tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755))
        for name, content in contents.items():
            member = _member(name, tarfile.REGTYPE, 0o755)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in links.items():
            member = _member(name, tarfile.SYMTYPE, 0o777)
            member.linkname = target
            archive.addfile(member)
    return buffer.getvalue()


def _member(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = kind, mode
    return member


class Registry:
    """The lab's registry, as far as pushing needs it."""

    def __init__(self, address: str) -> None:
        self._base = f"http://{address}/v2"

    def _blob(self, repository: str, content: bytes) -> dict[str, object]:
        start = urllib.request.Request(f"{self._base}/{repository}/blobs/uploads/", method="POST")
        with urllib.request.urlopen(start) as answer:
            location = answer.headers["Location"]
        location += ("&" if "?" in location else "?") + "digest=" + _digest(content)
        header = {"Content-Type": "application/octet-stream"}
        urllib.request.urlopen(urllib.request.Request(location, content, header, method="PUT")).close()
        return {"digest": _digest(content), "size": len(content)}

    def push(self, repository: str, tag: str, layer: bytes, environment: dict[str, str]) -> str:
        """Push one image and return its digest."""
        settings = {"Env": ["PATH=/bin:/usr/bin", f"VERSION={tag}", *(f"{k}={v}" for k, v in environment.items())]}
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                **settings,
                "Labels": {"org.opencontainers.image.title": repository, "org.opencontainers.image.version": tag},
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **self._blob(repository, json.dumps(config).encode())},
            "layers": [{"mediaType": LAYER, **self._blob(repository, gzip.compress(layer, 6, mtime=0))}],
        }
        body = json.dumps(manifest).encode()
        url = f"{self._base}/{repository}/manifests/{tag}"
        urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": MANIFEST}, method="PUT")).close()
        return _digest(body)


def push_shell(registry: Registry, repository: str, tag: str, environment: dict[str, str]) -> str:
    """Push an image of busybox alone and return its digest; another environment makes another digest."""
    return registry.push(repository, tag, _shell_layer(), environment)


@cache
def _shell_layer() -> bytes:
    return _layer({})


def push_all(registry: Registry, built: Path, versions: dict[str, dict[str, dict[str, str]]]) -> dict[str, str]:
    """Push every version of every service.

    Args:
        registry: Where to.
        built: What ``build`` made.
        versions: Service to tag to the environment that this version carries.

    Returns:
        ``service:tag`` to digest.
    """
    python = Path(__file__).parent / "python" / "labservice"
    code = {f"app/labservice/{path.name}": path.read_bytes() for path in sorted(python.glob("*.py"))}
    java = {f"app/{path.name}": path.read_bytes() for path in sorted((built / "java").glob("*.jar"))}
    binary = {"app/ledger": (built / "ledger").read_bytes()}
    files = {**dict.fromkeys(IN_JAVA, java), **dict.fromkeys(IN_GO, binary)}
    layers = {name: _layer(files.get(name, code)) for name in versions}
    return {
        f"{name}:{tag}": registry.push(name, tag, layers[name], environment)
        for name, tags in versions.items()
        for tag, environment in tags.items()
    }
