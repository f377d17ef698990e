"""A bundle is sealed: what was changed, torn, newer or hostile is refused by name."""

import json
import zipfile
from dataclasses import replace

import pytest

from incident_kit.errors import BundleError
from incident_kit.evidence import Manifest, read_evidence
from incident_kit.evidence.archive import write_archive
from incident_kit.evidence.manifest import digest_tree
from incident_kit.evidence.notes import add_note, read_notes
from incident_kit.profile import default_profile
from incident_kit.window import Window


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "a.incident"
    (folder / "raw/kubernetes").mkdir(parents=True)
    (folder / "tables").mkdir()
    (folder / "raw/kubernetes/pods.json").write_text("[]")
    seal(folder)
    return folder


def seal(folder, **changes):
    manifest = Manifest(
        window=Window(start=0, end=10),
        cluster="test",
        captured_at=None,
        created_at=5,
        imported=True,
        kit_version="0",
        profile=default_profile().public(),
        files=digest_tree(folder),
    )
    (folder / "manifest.json").write_text(replace(manifest, **changes).to_json())


def test_what_was_written_is_read(bundle):
    evidence = read_evidence(bundle)

    assert (evidence.cluster, evidence.window) == ("test", Window(start=0, end=10))
    assert Manifest.from_json(evidence.manifest.to_json(), "again") == evidence.manifest


def test_a_zip_is_the_same_bundle(bundle, tmp_path):
    write_archive(bundle, tmp_path / "a.zip")

    assert read_evidence(tmp_path / "a.zip").manifest == read_evidence(bundle).manifest


def test_a_zip_around_the_folder_is_read_too(bundle, tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for path in bundle.rglob("*"):
            archive.write(path, f"a.incident/{path.relative_to(bundle)}")

    assert read_evidence(tmp_path / "b.zip").cluster == "test"


def test_a_changed_file_is_refused_by_name(bundle):
    (bundle / "raw/kubernetes/pods.json").write_text("{}")

    with pytest.raises(BundleError, match=r"raw/kubernetes/pods\.json differs"):
        read_evidence(bundle)


def test_a_missing_file_is_refused_by_name(bundle):
    (bundle / "raw/kubernetes/pods.json").unlink()

    with pytest.raises(BundleError, match=r"raw/kubernetes/pods\.json is missing"):
        read_evidence(bundle)


def test_a_file_that_was_slipped_in_is_refused_by_name(bundle):
    (bundle / "tables/pods.parquet").write_bytes(b"x")

    with pytest.raises(BundleError, match=r"tables/pods\.parquet is not in the manifest"):
        read_evidence(bundle)


def test_a_newer_format_is_refused_with_what_to_do(bundle):
    seal(bundle, format_version=99)

    with pytest.raises(BundleError, match=r"format 99.*Update incident-kit"):
        read_evidence(bundle)


def test_a_setting_that_another_version_of_the_kit_had_is_passed_over(bundle):
    public = default_profile().public()
    seal(bundle, profile=public | {"gone": 1, "rabbitmq": public["rabbitmq"] | {"vhosts": []}})

    assert read_evidence(bundle).profile == default_profile()


def test_a_profile_that_is_none_is_one_clear_error(bundle):
    seal(bundle, profile=default_profile().public() | {"rabbitmq": {"timeout_seconds": "long"}})

    with pytest.raises(BundleError, match=r"rabbitmq\.timeout_seconds"):
        _ = read_evidence(bundle).profile


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"format_version": "x"}', "{" * 10, '{"format_version": 1, "window": 3}']
)
def test_a_broken_manifest_is_one_clear_error(bundle, text):
    (bundle / "manifest.json").write_text(text)

    with pytest.raises(BundleError, match="is not a manifest"):
        read_evidence(bundle)


def test_a_zip_with_backslashes_is_read_too(bundle, tmp_path):
    """Some Windows programs write them."""
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                member = zipfile.ZipInfo("x")
                member.filename = str(path.relative_to(bundle)).replace("/", "\\")
                archive.writestr(member, path.read_bytes())
    assert read_evidence(tmp_path / "c.zip").cluster == "test"


def test_a_torn_zip_is_refused(bundle, tmp_path):
    write_archive(bundle, tmp_path / "a.zip")
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "torn.zip").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(BundleError, match=r"torn\.zip"):
        read_evidence(tmp_path / "torn.zip")


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "raw/../../evil", "manifest.json", "raw\\..\\evil"])
def test_a_path_that_leaves_the_bundle_is_refused(bundle, tmp_path, path):
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"][path] = {"sha256": "", "bytes": 4}
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("raw/kubernetes/pods.json", "[]")
        if path != "manifest.json":
            archive.writestr(path, "evil")

    with pytest.raises(BundleError, match="refused"):
        read_evidence(tmp_path / "evil.zip")
    assert not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize("path", ["../../evil.txt", "/tmp/evil.txt", "raw/kubernetes/slipped-in.json"])
def test_a_zip_with_more_than_its_manifest_lists_is_refused(bundle, tmp_path, path):
    packed = tmp_path / "more.zip"
    write_archive(bundle, packed)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(path, "x")
    with pytest.raises(BundleError, match=path.rsplit("/", 1)[-1]):
        read_evidence(packed)


def test_a_zip_that_unpacks_to_more_than_it_says_is_refused(bundle, tmp_path):
    (bundle / "raw/kubernetes/pods.json").write_text("[]" + " " * 5_000_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(bundle / "manifest.json", "manifest.json")
        archive.write(bundle / "raw/kubernetes/pods.json", "raw/kubernetes/pods.json")

    with pytest.raises(BundleError, match="more than the 2 bytes"):
        read_evidence(tmp_path / "bomb.zip")


def test_a_link_instead_of_a_file_is_refused(bundle, tmp_path):
    (tmp_path / "elsewhere").write_text("[]")
    (bundle / "raw/kubernetes/pods.json").unlink()
    (bundle / "raw/kubernetes/pods.json").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BundleError, match="is a link"):
        read_evidence(bundle)


@pytest.mark.parametrize("packed", [False, True])
def test_notes_live_outside_the_checksums(bundle, tmp_path, packed):
    path = bundle
    if packed:
        path = tmp_path / "a.zip"
        write_archive(bundle, path)

    add_note(path, "the outage began with the sync")
    evidence = read_evidence(path)

    assert [text.strip() for _, text in read_notes(evidence.folder)] == ["the outage began with the sync"]


def test_what_does_not_exist_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleError, match="incident-kit import"):
        read_evidence(tmp_path / "none.incident")
