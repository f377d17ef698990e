"""Which logs a pod's status promises, and under which instance they are filed."""

from hypothesis import given
from hypothesis import strategies as st

from incident_kit.lines import whole_lines
from incident_kit.sources.console import console_files


def pod(container: dict[str, object]) -> dict[str, object]:
    return {
        "metadata": {"namespace": "shop", "name": "orders-0", "uid": "u"},
        "status": {"containerStatuses": [{"name": "app", **container}]},
    }


def dead(identifier: str) -> dict[str, object]:
    return {"terminated": {"containerID": identifier, "exitCode": 1}}


def test_a_running_container_that_restarted_has_two_logs_and_the_dead_one_comes_first() -> None:
    status = {"restartCount": 3, "containerID": "c3", "state": {"running": {}}, "lastState": dead("c2")}
    files = console_files(pod(status))
    assert [(f.previous, f.restart_count, f.container_id) for f in files] == [(True, 2, "c2"), (False, 3, "c3")]
    assert files[0].relative == "console/shop/orders-0/app.previous.log"


def test_a_container_waiting_in_crash_loop_has_one_log_because_both_are_the_same_text() -> None:
    status = {"restartCount": 2, "containerID": "c2", "state": {"waiting": {}}, "lastState": dead("c2")}
    assert [f.previous for f in console_files(pod(status))] == [False]


def test_a_container_that_never_started_has_none() -> None:
    assert console_files(pod({"restartCount": 0, "state": {"waiting": {}}, "lastState": {}})) == []


@given(st.lists(st.binary(max_size=10)))
def test_blocks_end_at_line_ends_and_lose_no_byte(chunks: list[bytes]) -> None:
    blocks = list(whole_lines(iter(chunks)))
    assert b"".join(blocks) == b"".join(chunks)
    assert all(block.endswith(b"\n") for block in blocks[:-1])
