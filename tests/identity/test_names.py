"""What a pod's name says by itself, after Kubernetes' own name generation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise.kubernetes.names import ALPHABET, generated_from, ordinal_of, read_name, scheduled_instant
from incident_kit.window import parse_rfc3339

suffixes = st.text(ALPHABET, min_size=5, max_size=5)
labels = st.from_regex(r"[a-z][a-z0-9-]{0,70}[a-z0-9]", fullmatch=True)


@given(labels, suffixes)
def test_every_generated_name_is_recognised_as_its_owners(owner, suffix):
    assert generated_from(owner, f"{owner}-"[:58] + suffix)


@given(labels, suffixes, st.integers(0, 99_999))
def test_an_indexed_jobs_names_are_recognised_with_the_job_cut_and_never_the_index(job, suffix, index):
    middle = f"-{index}-"
    prefix = f"{job}{middle}"
    assert generated_from(job, (prefix if len(prefix) <= 58 else prefix[: 58 - len(middle)] + middle) + suffix)


@given(
    st.from_regex(r"[a-z]([a-z0-9]{0,10}-){1,3}[a-z]{1,6}", fullmatch=True),
    st.text(ALPHABET, min_size=8, max_size=10),
    suffixes,
)
def test_a_deployments_pod_is_read_into_deployment_hash_and_replica_set(deployment, template_hash, suffix):
    if template_hash.isdecimal():
        return
    reading = read_name(f"{deployment}-{template_hash}-{suffix}")
    assert (reading.workload, reading.template_hash, reading.owner_name) == (
        deployment,
        template_hash,
        f"{deployment}-{template_hash}",
    )


def test_the_example_of_every_incident():
    reading = read_name("bank-bitso-7c9f8d6b5-x2k4q")
    assert (reading.workload_kind, reading.workload, reading.template_hash) == ("Deployment", "bank-bitso", "7c9f8d6b5")


def test_a_cron_jobs_minute_is_not_taken_for_a_template_hash():
    reading = read_name("orders-jobs-29924542-89v6j")
    assert (reading.workload_kind, reading.workload, reading.scheduled_at) == (
        "CronJob", "orders-jobs", parse_rfc3339("2026-11-23T22:22:00Z"))  # fmt: skip


@pytest.mark.parametrize(("pod", "kind", "workload"), [
    ("pricing-0", "StatefulSet", "pricing"),
    ("node-exporter-x2k4q", None, "node-exporter"),
    ("just-a-pod", None, None),
    ("pricing-007", None, None),
])  # fmt: skip
def test_other_names_claim_no_more_than_they_say(pod, kind, workload):
    reading = read_name(pod)
    assert (reading.workload_kind, reading.workload) == (kind, workload)


def test_a_name_cut_at_63_characters_claims_no_workload():
    deployment = "a-very-long-deployment-name-that-fills-the-whole-label-of-a-pod"
    pod = f"{deployment}-7c9f8d6b5-"[:58] + "x2k4q"
    assert len(pod) == 63 and read_name(pod).workload is None
    assert generated_from(f"{deployment}-7c9f8d6b5", pod)


def test_ordinals_have_no_leading_zeros():
    assert (
        ordinal_of("pricing", "pricing-10"),
        ordinal_of("pricing", "pricing-01"),
        ordinal_of("pricing", "other-1"),
    ) == (10, None, None)


def test_a_job_started_by_hand_has_no_scheduled_time():
    assert scheduled_instant("orders-jobs-by-hand", "orders-jobs") is None
