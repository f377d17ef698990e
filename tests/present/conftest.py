"""One bundle for all tests that show something."""

from __future__ import annotations

import pytest

from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from tests.present.folder import write_folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("collected"))
    return import_folder(folder, tmp_path_factory.mktemp("bundles") / "hostile.incident")


@pytest.fixture(scope="session")
def evidence(bundle):
    return read_evidence(bundle)
