"""Pod names: what Kubernetes' name generation tells about the owner of a pod that is gone.

Sources of the rules (read at the commit below, unchanged since 1.8):

- suffix of five from this alphabet, base cut at 58 characters:
  https://github.com/kubernetes/kubernetes/blob/51652d1c232daef8dc697a4fd9e63cad7c51faad/staging/src/k8s.io/apiserver/pkg/storage/names/generate.go
- the alphabet without vowels and look-alikes, also used for the pod template hash (`SafeEncodeString`):
  https://github.com/kubernetes/kubernetes/blob/51652d1c232daef8dc697a4fd9e63cad7c51faad/staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go
- a CronJob's Job is named after the scheduled minute since the epoch (earlier: the second).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from incident_kit.window import SECOND

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH = 5
#: 63 (a DNS label) less the suffix: generateName's base is cut here.
MAX_BASE_LENGTH = 58

_SUFFIX = re.compile(rf"[{ALPHABET}]{{{SUFFIX_LENGTH}}}")
_ANY_SUFFIX = re.compile(rf"[a-z0-9]{{{SUFFIX_LENGTH}}}")
# A uint32 in decimal has ten digits at most; below seven is so rare (0.1 %) that a word is the likelier reading.
_DEPLOYMENT_POD = re.compile(rf"^(?P<workload>.+)-(?P<hash>[{ALPHABET}]{{7,10}})-(?P<suffix>[{ALPHABET}]{{5}})$")
_CRONJOB_JOB = re.compile(r"^(?P<workload>.+)-(?P<instant>\d{8}|\d{10})$")
_ORDINAL = re.compile(r"^(?P<workload>.+)-(?P<ordinal>\d{1,5})$")
_GENERATED = re.compile(rf"^(?P<owner>.+)-(?P<suffix>[{ALPHABET}]{{5}})$")
# generateName's base was cut at 58, so the dash before the suffix may be gone: 63 characters in all.
_CUT = re.compile(rf"^(?P<base>.{{{MAX_BASE_LENGTH}}})(?P<suffix>[{ALPHABET}]{{5}})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameReading:
    """What one pod name says by itself; all of it is inferred.

    Attributes:
        workload_kind: Deployment, CronJob, StatefulSet, or None when several kinds generate such names.
        workload: name of the top owner; None when it was cut away.
        owner_kind: kind of the direct controller, or None.
        owner_name: name of the direct controller (ReplicaSet, Job), or None.
        template_hash: pod-template-hash, for a Deployment's pod.
        ordinal: ordinal of a StatefulSet's pod.
        scheduled_at: scheduled time of a CronJob's Job (ns).
    """

    workload_kind: str | None = None
    workload: str | None = None
    owner_kind: str | None = None
    owner_name: str | None = None
    template_hash: str | None = None
    ordinal: int | None = None
    scheduled_at: int | None = None


def generated_from(owner_name: str, pod: str, *, any_suffix: bool = False) -> bool:
    """Whether Kubernetes may have generated the pod's name for an owner of this name.

    True for ReplicaSets, DaemonSets and Jobs (also indexed ones), with bases cut at 58 characters.

    Args:
        owner_name: name of the controller.
        pod: name of the pod.
        any_suffix: take any five letters and digits; only where the owner's name can begin nobody else's.
    """
    base = f"{owner_name}-"[:MAX_BASE_LENGTH]
    rest = pod.removeprefix(base)
    if rest != pod and (_ANY_SUFFIX if any_suffix else _SUFFIX).fullmatch(rest):
        return True
    return _generated_with_index(owner_name, pod)


def _generated_with_index(job: str, pod: str) -> bool:
    # An indexed Job cuts the Job's name, never the index.
    match = re.match(rf"^(.+?)(-\d+-)([{ALPHABET}]{{5}})$", pod)
    if match is None:
        return False
    prefix = f"{job}{match[2]}"
    if len(prefix) > MAX_BASE_LENGTH:
        prefix = prefix[: MAX_BASE_LENGTH - len(match[2])] + match[2]
    return pod == f"{prefix}{match[3]}"


def ordinal_of(stateful_set: str, pod: str) -> int | None:
    """The ordinal of a StatefulSet's pod; None when the pod is not the set's."""
    rest = pod.removeprefix(f"{stateful_set}-")
    return int(rest) if rest != pod and rest.isdecimal() and (rest == "0" or rest[0] != "0") else None


def scheduled_instant(job: str, cron_job: str) -> int | None:
    """Scheduled time (ns) of a Job that this CronJob's controller named; None for other names."""
    rest = job.removeprefix(f"{cron_job[:52]}-")
    if rest == job or not rest.isdecimal():
        return None
    if len(rest) == 8:
        return int(rest) * 60 * SECOND
    return int(rest) * SECOND if len(rest) == 10 else None


def read_name(pod: str) -> NameReading:
    """What the name says by itself, without any object of its owners.

    A DaemonSet's pod and a Job's look alike (``name-suffix``), so no kind is claimed for them.
    """
    deployment = _DEPLOYMENT_POD.match(pod)
    if deployment and _is_minute(deployment["hash"]):
        return _read_generated(f"{deployment['workload']}-{deployment['hash']}")
    if deployment and len(pod) < MAX_BASE_LENGTH + SUFFIX_LENGTH:
        return NameReading(
            workload_kind="Deployment",
            workload=deployment["workload"],
            owner_kind="ReplicaSet",
            owner_name=f"{deployment['workload']}-{deployment['hash']}",
            template_hash=deployment["hash"],
        )
    if _CUT.match(pod):
        # The base was cut, or ends just there: the owner's name is a guess no one should act on.
        return NameReading()
    generated = _GENERATED.match(pod)
    if generated:
        return _read_generated(generated["owner"])
    ordinal = _ORDINAL.match(pod)
    if ordinal and (ordinal["ordinal"] == "0" or ordinal["ordinal"][0] != "0"):
        return NameReading(
            workload_kind="StatefulSet",
            workload=ordinal["workload"],
            owner_kind="StatefulSet",
            owner_name=ordinal["workload"],
            ordinal=int(ordinal["ordinal"]),
        )
    return NameReading()


def _is_minute(text: str) -> bool:
    """Whether eight digits are a CronJob's scheduled minute (2015 to 2100) rather than a template hash."""
    return len(text) == 8 and text.isdecimal() and 23_667_840 <= int(text) < 68_374_080


def _read_generated(owner: str) -> NameReading:
    scheduled = _CRONJOB_JOB.match(owner)
    if scheduled:
        return NameReading(
            workload_kind="CronJob",
            workload=scheduled["workload"],
            owner_kind="Job",
            owner_name=owner,
            scheduled_at=scheduled_instant(owner, scheduled["workload"]),
        )
    return NameReading(workload=owner, owner_name=owner)


def deployment_of(replica_set: str, template_hash: str | None = None) -> str | None:
    """Name of the Deployment that made a ReplicaSet; None when the ReplicaSet was made by itself."""
    if template_hash:
        name = replica_set.removesuffix(f"-{template_hash}")
        return name if name != replica_set else None
    match = re.match(rf"^(.+)-[{ALPHABET}]{{7,10}}$", replica_set)
    return match[1] if match else None


def cron_job_of(job: str) -> str | None:
    """Name of the CronJob whose controller named a Job; None for other names."""
    match = _CRONJOB_JOB.match(job)
    return match["workload"] if match else None
