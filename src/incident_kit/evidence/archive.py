"""A bundle as one ``.zip``: written with every path sorted, opened with nothing trusted.

Only files that the manifest lists are taken out, never more bytes than it says, never outside the target.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from incident_kit.errors import BundleError
from incident_kit.evidence.manifest import MANIFEST_NAME, SEALED_FOLDERS, Manifest

_MANIFEST_LIMIT = 256 * 1024 * 1024
_NOTES_LIMIT = 64 * 1024 * 1024
_BLOCK = 1 << 20
_NO_BUNDLE = (
    "{what}; it is not an incident bundle. If somebody collected it by hand, make one of it: "
    "incident-kit import {path} -o NAME.incident"
)


def no_bundle(path: Path, what: str) -> BundleError:
    """Of something that is there and is no bundle: people open what they collected before they import it."""
    return BundleError(_NO_BUNDLE.format(what=what, path=path))


def write_archive(folder: Path, output: Path) -> None:
    """Pack a bundle's folder into one zip; already compressed files are stored as they are."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                compressed = path.suffix in {".parquet", ".gz"}
                kind = zipfile.ZIP_STORED if compressed else zipfile.ZIP_DEFLATED
                archive.write(path, path.relative_to(folder).as_posix(), compress_type=kind)


def extract_archive(archive_path: Path, target: Path) -> None:
    """Take a bundle out of a zip into an empty folder.

    Raises:
        BundleError: no zip, no manifest, a path that leaves the target, more bytes than listed, or no room.
    """
    name = archive_path.name
    if archive_path.suffix.lower() != ".zip" and not zipfile.is_zipfile(archive_path):
        raise no_bundle(archive_path, f"{name} is neither a folder nor a zip archive")
    try:
        with zipfile.ZipFile(archive_path) as archive:
            members = _members(archive)
            prefix = _prefix(members, archive_path)
            manifest_info = members[prefix + MANIFEST_NAME]
            if manifest_info.file_size > _MANIFEST_LIMIT:
                raise BundleError(f"{name}: its manifest claims {manifest_info.file_size} bytes; refused.")
            _copy(archive, manifest_info, target / MANIFEST_NAME, manifest_info.file_size, name)
            manifest = Manifest.from_json((target / MANIFEST_NAME).read_text("utf-8", errors="replace"), name)
            _refuse_strangers(members, prefix, manifest, name)
            _check_room(manifest, target, name)
            for relative, facts in sorted(manifest.files.items()):
                destination = _safe(target, relative, name)
                info = members.get(prefix + relative)
                if info is None:
                    raise BundleError(f"{name}: {relative} is missing from the archive. Get it again.")
                _copy(archive, info, destination, int(facts["bytes"]), name)
            _extract_notes(archive, members, prefix, target, name)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, KeyError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{name} is not a whole zip archive ({error}). Get it again from where it came.") from error


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The archive's files by path; some Windows programs write backslashes where the format asks for slashes."""
    return {info.filename.replace("\\", "/"): info for info in archive.infolist()}


def _prefix(members: dict[str, zipfile.ZipInfo], path: Path) -> str:
    manifests = [n for n in members if PurePosixPath(n).name == MANIFEST_NAME and n.count("/") <= 1]
    if not manifests:
        raise no_bundle(path, f"{path.name} holds no {MANIFEST_NAME}")
    return min(manifests, key=len).removesuffix(MANIFEST_NAME)


def _refuse_strangers(members: dict[str, zipfile.ZipInfo], prefix: str, manifest: Manifest, name: str) -> None:
    """What the manifest does not list is never taken out; where it pretends to belong here, the zip was changed."""
    for path in sorted(members):
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            raise BundleError(f"{name}: the path {path!r} leaves the bundle; refused.")
        relative = path.removeprefix(prefix)
        sealed = path.startswith(prefix) and not path.endswith("/") and relative.split("/", 1)[0] in SEALED_FOLDERS
        if sealed and relative not in manifest.files:
            raise BundleError(
                f"{name}: {relative} is not in the manifest. The bundle was changed; get it again from where it came."
            )


def _safe(target: Path, relative: str, name: str) -> Path:
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts or "\\" in relative or not pure.parts or "\0" in relative:
        raise BundleError(f"{name}: the path {relative!r} leaves the bundle; refused.")
    if pure.parts[0] not in (*SEALED_FOLDERS, "notes"):
        raise BundleError(f"{name}: the path {relative!r} is not part of a bundle; refused.")
    return target.joinpath(*pure.parts)


def _check_room(manifest: Manifest, target: Path, name: str) -> None:
    needed = sum(int(facts["bytes"]) for facts in manifest.files.values())
    free = shutil.disk_usage(target).free
    if needed > free:
        raise BundleError(
            f"{name} needs {needed} bytes unpacked, {free} are free at {target}. Set TMPDIR to a larger disk."
        )


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, destination: Path, limit: int, name: str) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(info) as source, destination.open("wb") as output:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > limit:
                raise BundleError(f"{name}: {info.filename} holds more than the {limit} bytes it claims; refused.")
            output.write(block)


def _extract_notes(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], prefix: str, target: Path, name: str
) -> None:
    left = _NOTES_LIMIT
    for path, info in members.items():
        relative = path.removeprefix(prefix)
        if path.endswith("/") or not path.startswith(f"{prefix}notes/"):
            continue
        destination = _safe(target, relative, name)
        if info.file_size > left:
            raise BundleError(f"{name}: its notes hold more than {_NOTES_LIMIT} bytes; refused.")
        left -= info.file_size
        _copy(archive, info, destination, info.file_size, name)
