"""Files for people: whole or not there at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: str | Path, content: bytes) -> Path:
    """Write a file under its name only when all of it is written; folders above it are made.

    Returns:
        The path.

    Raises:
        OSError: no room, no permission; what stood under the name before is still there.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(target, content)
    except OSError as error:
        error.filename = str(target)  # the part beside it has a name that nobody gave
        raise
    return target


def _write(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        part.chmod(0o666 & ~_mask())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _mask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
