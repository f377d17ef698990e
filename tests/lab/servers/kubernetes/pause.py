"""The image of pod sandboxes, made by hand: busybox that sleeps. Also enough for a pod that runs a shell."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

from tests.lab.servers.kubernetes.settings import PAUSE_IMAGE

BUSYBOX = Path("/bin/busybox")
PASSWD = b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"


def _archive(folders: list[str], files: dict[str, tuple[bytes, int]], links: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in folders:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(folder)
        for name, (content, mode) in files.items():
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(content), mode
            archive.addfile(file, io.BytesIO(content))
        for name, target in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    return buffer.getvalue()


def write_archive(path: Path) -> None:
    """Write the image in the form that ``ctr images import`` reads."""
    listing = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True, timeout=10)
    layer = _archive(
        ["bin", "etc", "tmp"],
        {"bin/busybox": (BUSYBOX.read_bytes(), 0o755), "etc/passwd": (PASSWD, 0o644)},
        {f"bin/{name}": "busybox" for name in listing.stdout.split() if name != "busybox"},
    )
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Entrypoint": ["/bin/sleep", "2147483647"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    contents = {
        "layer.tar": (layer, 0o644),
        "config.json": (json.dumps(config).encode(), 0o644),
        "manifest.json": (json.dumps(manifest).encode(), 0o644),
    }
    path.write_bytes(_archive([], contents, {}))
