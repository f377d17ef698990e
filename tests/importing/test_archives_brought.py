"""Archives: what is in them counts as if it lay in the folder, and nothing of them is written anywhere else."""

import io
import shutil
import tarfile
import zipfile

import pytest

from incident_kit import console_only, import_folder, read_evidence
from tests.importing.bringing import bring
from tests.importing.folder import write_folder


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize(("form", "inside"), [("xztar", True), ("zip", False)])
def test_a_packed_folder_answers_as_the_folder_does(tmp_path, form, inside):
    write_folder(tmp_path / "packed/incident-4711")
    archive = shutil.make_archive(str(tmp_path / "brought/all"), form, tmp_path / "packed")

    evidence = read_evidence(import_folder(tmp_path / "brought" if inside else archive, tmp_path / "a.incident"))

    assert len(console_only(evidence)) == 1 and evidence.cluster == "shop-test"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.incident", "brought", "packed"]


def tar_of(*members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def test_members_that_lead_out_of_an_archive_are_left_out_and_said(tmp_path):
    archive = tar_of(
        ("../../out.log", b"x"), ("/tmp/out.log", b"x"), ("link.log", None), ("rabbitmq/overview.json", b"{}")
    )

    kept, gaps = bring(tmp_path, {"a.tar": archive})

    assert list(kept) == ["rabbitmq/overview.json"] and not list(tmp_path.rglob("out.log"))
    assert [(gap["what"], gap["reason"][:9]) for gap in gaps] == [("a.tar", "3 members")]


def test_archives_in_archives_are_read_to_a_depth(tmp_path):
    archive = tar_of(("rabbitmq/overview.json", b"{}"))
    for _ in range(4):
        archive = tar_of(("in.tar", archive))

    kept, gaps = bring(
        tmp_path, {"a.tar": archive, "b.tar": tar_of(("in.tar", tar_of(("rabbitmq/nodes.json", b"[]"))))}
    )

    assert list(kept) == ["rabbitmq/nodes.json"] and [gap["what"] for gap in gaps] == ["a.tar/in.tar/in.tar/in.tar"]


def test_what_unpacks_to_far_more_than_it_is_is_left_where_that_shows(tmp_path, monkeypatch):
    monkeypatch.setattr("incident_kit.importing.unpack._MOST_BESIDE", 1 << 20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.log", b"0" * (8 << 20))
        archive.writestr("rabbitmq/nodes.json", b"[]")

    kept, gaps = bring(tmp_path, {"a.zip": packed.getvalue()})

    assert kept == {} and any("unpacks to too much" in gap["reason"] for gap in gaps)
    assert sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*") if path.is_file()) < 4 << 20


def test_a_torn_archive_gives_what_stands_before_the_tear(tmp_path):
    archive = tar_of(("rabbitmq/nodes.json", b"[]"), ("rabbitmq/overview.json", b"{}" + b" " * 5000))

    kept, gaps = bring(tmp_path, {"a.tar": archive[:2000]})

    assert "rabbitmq/nodes.json" in kept and any("torn" in gap["reason"] for gap in gaps)


def test_folders_of_a_zip_made_on_windows_are_folders(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        member = zipfile.ZipInfo("x")
        member.filename = "case\\rabbitmq\\nodes.json"
        archive.writestr(member, b"[]")

    kept, gaps = bring(tmp_path, {"a.zip": packed.getvalue()})

    assert list(kept) == ["rabbitmq/nodes.json"] and gaps == []
