"""Evidence: an opened bundle, and the one way to open it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from incident_kit.errors import BundleError
from incident_kit.evidence.archive import extract_archive, no_bundle
from incident_kit.evidence.manifest import MANIFEST_NAME, Manifest, verify_tree
from incident_kit.nested import instant
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import Profile
from incident_kit.progress import Progress, silent
from incident_kit.tables import Table
from incident_kit.tables.answers import COVERAGE, GAPS
from incident_kit.tables.schema import repays_threads
from incident_kit.window import Window

if TYPE_CHECKING:
    import pandas as pd

Answer = TypeVar("Answer")


class Evidence:
    """All tables of one window of one cluster, as one bundle holds them. Reading never changes it.

    Attributes:
        path: the bundle as the user named it.
        folder: where its files are (a temporary folder for a zip).
        manifest: what it says of itself.
        progress: told how far long work on the evidence is.
    """

    def __init__(
        self, path: Path, folder: Path, manifest: Manifest, scratch: Any = None, progress: Progress = silent
    ) -> None:
        self.path, self.folder, self.manifest = path, folder, manifest
        self.progress = progress
        self._scratch = scratch  # keeps the temporary folder of a zip alive as long as the evidence
        self._memo: dict[Any, Any] = {}

    def __repr__(self) -> str:
        """Name, cluster and window."""
        return f"<Evidence {self.path.name} of cluster {self.cluster}, {self.window}>"

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return self.manifest.cluster

    @property
    def window(self) -> Window:
        """What is judged."""
        return self.manifest.window

    @property
    def captured_at(self) -> int | None:
        """When the evidence was taken (ns), None when nobody said."""
        return self.manifest.captured_at

    @property
    def raw(self) -> RawFolder:
        """The redacted documents as the servers sent them."""
        return RawFolder(self.folder / "raw")

    @property
    def profile(self) -> Profile:
        """The profile that the bundle was made with; settings that only another version of the kit has are left out.

        Raises:
            BundleError: what the manifest holds is no profile.
        """
        return self.memo("profile", self._profile)

    def _profile(self) -> Profile:
        from pydantic import ValidationError

        try:
            return Profile.model_validate(self.manifest.profile, extra="ignore")
        except ValidationError as error:
            place = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
            raise BundleError(
                f"The profile in {self.path.name} cannot be read: {place}. Import the bundle again from its raw folder."
            ) from error

    def table(self, table: Table) -> pd.DataFrame:
        """A small table as a fresh DataFrame; empty when the bundle has no rows of it."""
        if table.logs:
            raise TypeError(f"{table.name} is a log table and stays on disk; read it through Evidence.parquet.")

        def read() -> pd.DataFrame:
            import pyarrow as pa
            import pyarrow.parquet as pq

            path = self.folder / "tables" / f"{table.name}.parquet"
            if not path.is_file():
                return table.frame()
            try:
                file = pq.ParquetFile(path)
                stored = file.read(use_threads=repays_threads(file.metadata.num_rows))
            except (pa.ArrowInvalid, OSError) as error:
                raise BundleError(
                    f"{self.path.name}: tables/{path.name} cannot be read: {error}. Get it again."
                ) from error
            columns = [
                stored.column(f.name).cast(f.type) if f.name in stored.column_names else pa.nulls(len(stored), f.type)
                for f in table.schema
            ]
            return table.to_pandas(pa.Table.from_arrays(columns, schema=table.schema))

        return self.memo(("table", table.name), read).copy()

    def parquet(self, table: Table) -> list[str]:
        """Parquet files of a log table, for DuckDB or Arrow; empty when the bundle has none."""
        return [str(path) for path in sorted((self.folder / "tables" / table.name).rglob("*.parquet"))]

    @property
    def gaps(self) -> pd.DataFrame:
        """GAPS rows: what was asked for and not obtained."""
        rows = [{**gap, "from": instant(gap, "from"), "to": instant(gap, "to")} for gap in self.manifest.gaps]
        return GAPS.frame(rows)

    def in_window(self, frame: pd.DataFrame) -> pd.Series[bool]:
        """By row of an answer: whether its ``time`` lies in the window, or is not known."""
        import pandas as pd

        time = frame["time"]
        start, end = (pd.Timestamp(edge, unit="ns", tz="UTC") for edge in (self.window.start, self.window.end))
        return time.isna() | ((time >= start) & (time < end))

    @property
    def coverage(self) -> pd.DataFrame:
        """COVERAGE rows: from when to when each source is complete."""
        return self.table(COVERAGE)

    def memo(self, key: Any, make: Callable[[], Answer]) -> Answer:
        """The value for a key, computed once per opened bundle."""
        if key not in self._memo:
            self._memo[key] = make()
        value: Answer = self._memo[key]
        return value


def read_evidence(path: str | Path, *, verify: bool = True, progress: Progress = silent) -> Evidence:
    """Open a bundle, a folder or a zip.

    Args:
        path: ``NAME.incident`` folder or ``.zip``.
        verify: check every file's checksum (default). Leave on unless the same process just wrote it.
        progress: told how far long work on the evidence is, such as matching.

    Raises:
        BundleError: it does not exist, is no bundle, is newer, torn or changed.
    """
    path = Path(path)
    if not path.exists():
        raise BundleError(f"{path} does not exist. Make a bundle with incident-kit capture or incident-kit import.")
    scratch = None
    folder = path
    if path.is_file():
        scratch = tempfile.TemporaryDirectory(prefix="incident-kit-")
        folder = Path(scratch.name)
        extract_archive(path, folder)
    manifest_path = folder / MANIFEST_NAME
    if not manifest_path.is_file():
        raise no_bundle(path, f"{path} holds no {MANIFEST_NAME}")
    manifest = Manifest.from_json(manifest_path.read_text("utf-8", errors="replace"), path.name)
    if verify:
        verify_tree(folder, manifest)
    return Evidence(path, folder, manifest, scratch, progress)
