"""CronJobs that run, wait, overlap, come late or not at all, and Jobs that somebody started."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.lab.deploys.manifests import Manifest, cron_job, job_spec
from tests.lab.deploys.world import PATIENTLY, World

NAMESPACE = "till-runs"
EVERY_MINUTE = "* * * * *"
#: Kubernetes makes a Job within some seconds; a run is late after a minute (see rules/late_run.py).
LATE_SECONDS = 68
#: A run of slow lasts over two scheduled times; it and its successor have begun by then.
SLOW_SECONDS = 130
ZONE = "Asia/Kolkata"


def _clock(minute: int, zone: str | None = None) -> str:
    """The schedule of one minute of the day."""
    then = datetime.fromtimestamp(minute * 60, ZoneInfo(zone) if zone else UTC)
    return f"{then.minute} {then.hour} * * *"


class Runs:
    """The CronJobs of one run of the scenario, bound to the minute in which they were made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.minute = 0

    def seed(self) -> None:
        """All CronJobs, before the next full minute."""
        if time.time() % 60 > 45:
            time.sleep(20)  # the objects shall be there well before their first time
        self.minute = int(time.time()) // 60 + 1
        self.world.lab.apply(*self._cron_jobs())
        self.world.application("nightly", cron_job("nightly", "0 3 1 1 *", 2, namespace=NAMESPACE), automated=True)

    def _cron_jobs(self) -> list[Manifest]:
        def made(name: str, schedule: str, seconds: float, **spec: object) -> Manifest:
            return cron_job(name, schedule, seconds, namespace=NAMESPACE, **spec)

        return [
            made("steady", EVERY_MINUTE, 2, successfulJobsHistoryLimit=1),
            made("slow", EVERY_MINUTE, SLOW_SECONDS, concurrencyPolicy="Forbid"),
            made("overlapping", EVERY_MINUTE, 75, concurrencyPolicy="Allow"),
            made("late", _clock(self.minute), 2, suspend=True),
            made("paused", EVERY_MINUTE, 2, suspend=True),
            made("young", _clock(self.minute - 2), 2),
            made("zoned", _clock(self.minute, ZONE), 2, timeZone=ZONE),
            made("by-hand", "0 3 1 1 *", 2),
        ]

    def wake_late(self) -> None:
        """Let the CronJob that was suspended over its time go on, more than a minute after it."""
        time.sleep(max(0.0, self.minute * 60 + LATE_SECONDS - time.time()))
        patch = json.dumps({"spec": {"suspend": False}})
        with self.world.act(("schedule",), "CronJob", "late", "kubectl-patch", namespace=NAMESPACE, told="unsuspend"):
            self.world.lab.kubectl("-n", NAMESPACE, "patch", "cronjob", "late", "-p", patch)

    def start_by_hand(self) -> None:
        """Runs by kubectl and by Argo CD, one named as the controller names its own; and a Job of nobody's."""
        world = self.world
        for name, told in (
            ("by-hand-now", "create job"),
            (f"by-hand-{self.minute + 5}", "create job, as if scheduled"),
        ):
            with world.act(("manual_job",), "Job", name, "kubectl-create", namespace=NAMESPACE, told=told):
                world.lab.kubectl("-n", NAMESPACE, "create", "job", name, "--from=cronjob/by-hand")
            world.expect("manual-run", "Job", name, told, namespace=NAMESPACE)
            world.lab.kubectl("-n", NAMESPACE, "wait", "job", name, "--for=condition=complete", PATIENTLY)
        with world.act(("manual_job",), "Job", r"nightly-\d+", "alice", namespace=NAMESPACE, told="Create Job"):
            world.argocd_action("nightly", "create-job", "CronJob", "nightly")
        world.expect("manual-run", "Job", r"nightly-\d+", "Argo CD's Create Job", namespace=NAMESPACE)
        metadata = {"name": f"import-{self.minute}", "namespace": NAMESPACE}
        world.lab.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job_spec(1)})
        world.spare("manual-run", "Job", r"import-\d+", "applied by itself, from no CronJob", namespace=NAMESPACE)

    def finish(self) -> None:
        """Wait until the slow run is over and the time it held back can be judged."""
        time.sleep(max(0.0, self.minute * 60 + SLOW_SECONDS + 20 - time.time()))
        expect, spare = self.world.expect, self.world.spare
        expect("missed-run", "CronJob", "slow", "an earlier run held it back (Forbid)", namespace=NAMESPACE)
        expect("overlapping-run", "CronJob", "overlapping", "each run lasts longer than a minute", namespace=NAMESPACE)
        expect("late-run", "CronJob", "late", "suspended over its time", namespace=NAMESPACE)
        expect("suspended", "CronJob", "paused", "spec.suspend", namespace=NAMESPACE)
        for rule, names in {
            "missed-run": ("steady", "overlapping", "late", "paused", "young", "zoned", "by-hand"),
            "late-run": ("steady", "slow", "overlapping", "young", "zoned"),
            "overlapping-run": ("steady", "slow", "zoned", "by-hand"),
            "suspended": ("late", "steady"),
        }.items():
            for name in names:
                spare(rule, "CronJob", name, "ran as it should, or is another rule's", namespace=NAMESPACE)
        spare("manual-run", "Job", r"(steady|slow|overlapping|late|zoned)-\d+", "scheduled", namespace=NAMESPACE)
