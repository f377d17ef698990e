"""Log tables on disk: batches of many pods become few, large row groups, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from incident_kit.normalise.logs import buckets
from incident_kit.normalise.logs.buckets import BucketWriter, bucket_name
from incident_kit.tables.logs import ELASTIC_DOCUMENTS

PODS = [f"orders-api-7c9f8d6b5-{suffix}" for suffix in ("bcdfg", "x2k4q", "zzbbc", "hjklm")]


def _batch(pods: list[str | None], first: int) -> pa.Table:
    columns = {
        "pod": pa.array(pods, pa.string()),
        "document_id": pa.array([f"logs/{first + n}" for n in range(len(pods))]),
        "time": pa.array(np.arange(first, first + len(pods))).cast(ELASTIC_DOCUMENTS.schema.field("time").type),
        "message_hash": pa.array(np.arange(first, first + len(pods)) * -7),
    }
    schema = ELASTIC_DOCUMENTS.schema
    return pa.Table.from_arrays(
        [columns.get(field.name, pa.nulls(len(pods), field.type)) for field in schema], schema=schema
    )


@pytest.mark.parametrize("most_waiting", [1, 1 << 30])
def test_every_row_is_in_the_bucket_of_its_pod_in_the_order_of_arrival(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_waiting: int
) -> None:
    monkeypatch.setattr(buckets, "_MOST_WAITING_BYTES", most_waiting)
    named: list[str | None] = [*PODS, None]
    with BucketWriter(tmp_path, ELASTIC_DOCUMENTS, 3) as writer:
        for number in range(40):
            writer.write(_batch(named, number * 5))
    assert writer.rows == 200
    files = sorted(tmp_path.rglob("*.parquet"))
    assert {file.parent.name for file in files} == {f"bucket={bucket_name(pod, 3)}" for pod in named}
    for file in files:
        table = pq.ParquetFile(file).read()
        assert {bucket_name(pod, 3) for pod in table["pod"].to_pylist()} == {file.parent.name.removeprefix("bucket=")}
        assert table["time"].cast(pa.int64()).to_pylist() == sorted(table["time"].cast(pa.int64()).to_pylist())
        assert pc.all(pc.equal(table["message_hash"], pc.multiply(table["time"].cast(pa.int64()), -7))).as_py()
    assert sum(pq.ParquetFile(file).metadata.num_rows for file in files) == 200
    groups = max(pq.ParquetFile(file).num_row_groups for file in files)
    assert (groups == 1) == (most_waiting > 1)


@pytest.mark.parametrize("batches", [1, 30])
def test_what_fails_while_rows_are_written_is_told_to_whoever_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(buckets, "_ROW_GROUP", 10)
    monkeypatch.setattr(pq.ParquetWriter, "write_table", no_space)
    with pytest.raises(OSError, match="No space"), BucketWriter(tmp_path, ELASTIC_DOCUMENTS, 3) as writer:
        for number in range(batches):
            writer.write(_batch([*PODS], number * 4))
