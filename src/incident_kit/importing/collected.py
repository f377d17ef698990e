"""Which files somebody brought: those of a folder, and those of the archives in it."""

from __future__ import annotations

import errno
import os
import zipfile
from pathlib import Path

from incident_kit.errors import UsageError
from incident_kit.evidence.manifest import MANIFEST_NAME
from incident_kit.importing.layout import is_litter
from incident_kit.importing.unpack import CollectedFile, unpacked
from incident_kit.normalise.context import Context

_UNREADABLE = "it may not be read ({}); it is left out"
_READABLE = "Have it made readable, and import again."


def is_bundle(path: Path) -> bool:
    """Whether a folder or zip is a bundle rather than something collected."""
    if path.is_dir() or path.suffix != ".zip" or not zipfile.is_zipfile(path):
        return (path / MANIFEST_NAME).is_file() or path.suffix == ".zip"
    with zipfile.ZipFile(path) as archive:
        return any(name.count("/") <= 1 and name.rpartition("/")[2] == MANIFEST_NAME for name in archive.namelist())


def collected_files(folder: Path, scratch: Path, context: Context) -> list[CollectedFile]:
    """Every file of the folder, by its path; litter of file managers is passed over, what cannot be taken is a gap.

    Args:
        folder: the folder, or one archive or file.
        scratch: an empty folder, for what archives hold.
        context: gains the gaps.

    Raises:
        UsageError: there is no such folder or file.
        PermissionError: the folder itself may not be read.
    """
    if folder.is_file():
        found = [CollectedFile(folder, folder.name)]
    elif folder.is_dir():
        paths = _files_below(folder, context)
        found = [CollectedFile(path, path.relative_to(folder).as_posix()) for path in paths]
    else:
        raise UsageError(
            f"{folder} does not exist. Give the folder that holds kubernetes/, console/, elasticsearch/ ..., or an archive "
            "of it (.zip, .tar, .tar.gz ...)."
        )
    files: list[CollectedFile] = []
    for number, file in enumerate(found):
        if not is_litter(file.relative) and _may_be_taken(file, folder, context):
            files += unpacked(file, scratch / str(number), context)
    return [file for file in files if not is_litter(file.relative)]


def _files_below(folder: Path, context: Context) -> list[Path]:
    """Every file below a folder, sorted; a folder in it that may not be read is a gap, not an empty one."""

    def refused(error: OSError) -> None:
        path = Path(error.filename)
        if path == folder:
            raise error
        context.gap("bundle", f"{path.relative_to(folder).as_posix()}/", _UNREADABLE.format(error.strerror), _READABLE)

    paths = [Path(parent, name) for parent, _, names in os.walk(folder, onerror=refused) for name in names]
    return sorted(path for path in paths if path.is_file())


def _may_be_taken(file: CollectedFile, folder: Path, context: Context) -> bool:
    shown = file.relative.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if shown != file.relative:
        context.gap("bundle", shown, "its name is not UTF-8; it is left out", "Rename it.")
        return False
    if file.path.is_symlink() and not file.path.resolve().is_relative_to(folder.resolve()):
        context.gap("bundle", file.relative, "a link that leaves the folder; it is left out", "Copy the file itself.")
        return False
    if not os.access(file.path, os.R_OK):
        context.gap("bundle", file.relative, _UNREADABLE.format(os.strerror(errno.EACCES)), _READABLE)
        return False
    return True
