"""Acts of Argo CD: syncs of every kind, rollbacks and what undid them, releases, orphans."""

from __future__ import annotations

from tests.lab.deploys.manifests import (
    NAMESPACE,
    Manifest,
    application,
    config_map,
    deployment,
    job_spec,
    rollouts,
    service,
)
from tests.lab.deploys.world import World
from tests.lab.scenario.lab import until

OLD, NEW, FIX = "1.0.0", "1.1.0", "1.2.0"

#: Applications of one Deployment of the same name, synced by hand: those that are rolled back, and others.
ROLLED_BACK = ("payouts", "refunds", "quotes", "fees")
PLAIN = ("mailer", "redeploy", "kicked", "tagged")
#: Members of a release, in the order of the profile's groups.
UNITS = {
    "ledger": ("ledger-api", "ledger-service", "ledger-jobs"),
    "stock": ("stock-api", "stock-service", "stock-jobs"),
    "claims": ("claims-api", "claims-service"),
    "rates": ("rates-api", "rates-service"),
}
MEMBERS = tuple(name for unit in UNITS.values() for name in unit)


def seed(world: World) -> None:
    """Everything at its first version."""
    for name in (*ROLLED_BACK, "auto"):
        world.application(name, deployment(name), automated=name == "auto")
    for name in (*PLAIN, *MEMBERS, "couriers"):
        world.application(name, rollouts(name))
    world.application("search", rollouts("search"), config_map("search-config", a="1"))
    world.application("ticker", rollouts("ticker"), revisionHistoryLimit=2)
    world.application("stall", deployment("stall"))
    world.git.write("apps/stall/legacy.yaml", service("stall-legacy", {"app": "stall"}))
    world.application("trimmed", rollouts("trimmed"))
    world.git.write("apps/trimmed/extra.yaml", config_map("trimmed-extra", a="1"))
    world.application("broken", rollouts("broken"), config_map("broken-config", a="1"))
    world.application("skipped", rollouts("skipped"), config_map("skipped-config", a="1"))
    world.application("hooked", rollouts("hooked"), _hook())
    world.child("pair", [world.source("pair"), world.source("pair", world.charts)])
    world.git.write("apps/pair/config.yaml", config_map("pair-config", a="1"))
    world.charts.write("apps/pair/deployment.yaml", deployment("pair"))
    world.git.write("apps/leftover/all.yaml", rollouts("leftover"))


def _hook() -> Manifest:
    annotations = {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation"}
    metadata = {"name": "hooked-migration", "namespace": NAMESPACE, "annotations": annotations}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job_spec(1)}


def first_syncs(world: World) -> None:
    """The pipeline brings everything for the first time: members of a release in order, the rest together."""
    world.lab.apply(application("leftover", [world.source("leftover")]))
    world.truth.applications.append("leftover")
    for name in MEMBERS:
        world.sync(name)
    alone = (
        *ROLLED_BACK,
        *PLAIN,
        "search",
        "couriers",
        "ticker",
        "stall",
        "trimmed",
        "broken",
        "skipped",
        "hooked",
        "pair",
        "leftover",
    )
    world.sync_together(alone)
    world.truth.history |= {name: [] for name in HISTORIES}


def _release(world: World, names: tuple[str, ...], tag: str) -> str:
    for name in names:
        made = deployment if name in (*ROLLED_BACK, "auto") else rollouts
        world.git.write(f"apps/{name}/all.yaml", made(name, tag))
    return world.git.commit(f"{', '.join(names)} {tag}")


def play(world: World) -> None:
    """All acts, one after the other."""
    release_orders(world)
    rollbacks(world)
    without_history(world)
    quiet_syncs(world)
    several_sources(world)
    orphans(world)


def rollbacks(world: World) -> None:
    """Three rollbacks that came undone or did not, and one that a selective sync undid."""
    _release(world, ROLLED_BACK, NEW)
    for name in ROLLED_BACK:
        world.sync(name)
    for name in ROLLED_BACK:
        world.roll_back(name)
    world.sync("payouts")
    world.expect("rollback-undone", "Application", "payouts", "the pipeline synced HEAD again")
    world.sync("refunds", "ci", "--dry-run")
    world.spare("rollback-undone", "Application", "refunds", "only a dry run came after it")
    world.sync("fees", "ci", "--resource", "apps:Deployment:fees", what="partial_sync")
    world.expect("rollback-undone", "Application", "fees", "a selective sync brought the image back")
    world.expect("image-without-history", "Application", "fees", "by that selective sync")
    world.git.write("apps/quotes/all.yaml", deployment("quotes", FIX))
    world.git.commit("quotes mended")
    world.sync("quotes")
    world.spare("rollback-undone", "Application", "quotes", "a mended version came, not the one rolled back from")


def without_history(world: World) -> None:
    """Images that history does not tell of: a selective sync, a failed one, kubectl; and one it has forgotten."""
    world.git.write("apps/search/all.yaml", rollouts("search", NEW), config_map("search-config", a="2"))
    bad = service("couriers", {"app": "couriers"}, ports=[{"port": 99999}])
    world.git.write("apps/couriers/all.yaml", rollouts("couriers", NEW), bad)
    world.git.commit("search and couriers 1.1.0")
    world.sync("search", "alice", "--resource", "apps:Deployment:search", what="partial_sync")
    world.sync(
        "search",
        "alice",
        "--resource",
        ":ConfigMap:search-config",
        what="config",
        shown_as=("ConfigMap", "search-config"),
    )
    world.expect("image-without-history", "Application", "search", "a selective sync, hidden by another one")
    world.sync("couriers", what="failed_sync", fails=True)
    world.expect("image-without-history", "Application", "couriers", "the sync failed and yet changed it")
    with world.act(("image",), "Deployment", "mailer", "kubectl-set", told="kubectl set image"):
        world.by_hand("set", "image", "deployment/mailer", f"app=registry.lab/till:{NEW}")
    world.expect("image-without-history", "Application", "mailer", "kubectl set image")
    world.expect("image-drift", "Deployment", "mailer", "kubectl set image")
    for tag in (NEW, FIX, "1.3.0"):
        _release(world, ("ticker",), tag)
        world.sync("ticker")
    world.spare("image-without-history", "Application", "ticker", "its history of two has dropped older entries")
    with world.act(("sync",), "Application", "auto", None, application="auto", automated=True, told="autosync"):
        revision = _release(world, ("auto",), NEW)
        world.arrives("auto", revision, lambda: world.image("auto").endswith(NEW), "image of auto")
    world.spare("image-without-history", "Application", "auto", "an autosync is in history")
    for name in ("payouts", "refunds", "search", "couriers", "auto", "ticker"):
        world.spare("image-drift", "Deployment", name, "runs what a sync, also a failed or older one, applied last")


def quiet_syncs(world: World) -> None:
    """A sync that changed nothing, Deploy Restarts, a variable."""
    world.sync("redeploy", what="sync_without_changes")
    with world.act(("deploy_restart",), "Deployment", "kicked", "alice", automated=False, told="Deploy Restart"):
        world.argocd_action("kicked", "restart", "Deployment", "kicked")
    with world.act(("deploy_restart",), "Deployment", "redeploy", "kubectl-rollout", told="kubectl rollout restart"):
        world.by_hand("rollout", "restart", "deployment/redeploy")
    world.git.write("apps/tagged/all.yaml", rollouts("tagged", container={"env": [{"name": "COLOUR", "value": "red"}]}))
    world.git.commit("tagged has a colour")
    world.sync("tagged")
    for name in ("kicked", "redeploy", "tagged"):
        world.spare("image-without-history", "Application", name, "no image changed")
        world.spare("resources-changed", "Deployment", name, "neither resources nor probes changed")


def several_sources(world: World) -> None:
    """An Application of two repositories: a release, a rollback, and a sync that undoes it."""
    world.charts.write("apps/pair/deployment.yaml", deployment("pair", NEW))
    world.charts.commit("pair 1.1.0")
    world.git.write("apps/pair/config.yaml", config_map("pair-config", a="2"))
    world.git.commit("pair-config a=2")
    world.sync("pair")
    world.roll_back("pair")
    world.sync("pair")
    world.expect("rollback-undone", "Application", "pair", "an Application of several sources, synced to HEAD again")
    world.spare("image-without-history", "Application", "pair", "history has revisions instead of a revision")


def orphans(world: World) -> None:
    """What left Git: one kept, one pruned, one Application that cannot be compared, one whose manifest is skipped."""
    world.git.remove("apps/stall/legacy.yaml")
    world.git.remove("apps/trimmed/extra.yaml")
    world.git.text("apps/broken/all.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken-config\n")
    world.git.text("apps/skipped/all.yaml", "kind: ConfigMap\nmetadata: {name: skipped-config}\ndata: {a: '1'}\n")
    world.git.commit("Tidy up")
    world.sync("stall", "alice", what="sync_without_changes")
    world.expect("orphan", "Service", "stall-legacy", "left Git, synced without prune")
    world.sync("trimmed", "alice", "--prune")
    world.spare("orphan", "ConfigMap", "trimmed-extra", "pruned")
    for name in ("broken", "skipped"):
        world.lab.refresh(name)
    until(
        lambda: world.lab.application("broken")["status"].get("conditions"),
        seconds=60,
        what="ComparisonError of broken",
    )
    for kind, name in (("Deployment", "broken"), ("ConfigMap", "broken-config")):
        world.spare("orphan", kind, name, "a ComparisonError marks everything requiresPruning")
    for kind, name in (("Deployment", "skipped"), ("ConfigMap", "skipped-config")):
        world.spare("orphan", kind, name, "a manifest without apiVersion is skipped in silence")
    world.spare("orphan", "Job", "hooked-migration", "a finished hook")
    world.spare("manual-run", "Job", "hooked-migration", "a hook, not a run by hand")
    with world.act(("deleted",), "Application", "leftover", "admin", automated=False, told="argocd app delete"):
        world.lab.argocd("app", "delete", "leftover", "--cascade=false", "--yes")
    world.expect("orphan", "Deployment", "leftover", "its Application was deleted without its resources")
    world.spare("orphan", "ConfigMap", "search-config", "still in Git, only synced by itself")


def release_orders(world: World) -> None:
    """One release out of order, one in order, one half done, one whose members were rolled back in reverse."""
    world.let_releases_part(MEMBERS)
    _release(world, MEMBERS, NEW)
    for name in ("ledger-service", "ledger-api", "ledger-jobs", *UNITS["stock"], "claims-api", *UNITS["rates"]):
        world.sync(name)
    for name in ("rates-service", "rates-api"):
        world.roll_back(name)
    world.expect("release-order", "Application", "ledger-service", "synced before ledger-api")
    world.expect("release-incomplete", "Application", "claims-service", "claims-api is new, it is not")
    for unit in ("stock", "rates", "claims"):
        world.spare("release-order", "Application", f"{unit}-.*", "in order; rollbacks and half releases have none")
    for unit in ("ledger", "stock", "rates"):
        world.spare("release-incomplete", "Application", f"{unit}-.*", "all members were synced")
    world.spare("rollback-undone", "Application", "rates-.*", "nobody undid it")


#: Applications of which Argo CD's own history is compared with what the kit recovers.
HISTORIES = (
    "payouts", "refunds", "fees", "search", "couriers", "mailer", "ticker", "auto", "redeploy", "kicked", "pair", "trimmed",
)  # fmt: skip
