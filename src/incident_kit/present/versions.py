"""Which colour a version has: its own while they are few, else its place in the workload's order of versions.

A version is an image reference as written; a tag that moved, so that it ran with several digests, is a version each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incident_kit.correlate.pods.images import repository
from incident_kit.present.material import Material, keys_of, short_image
from incident_kit.present.style import FAINT, HATCHES, VERSIONS, label
from incident_kit.present.text import visible

if TYPE_CHECKING:
    from matplotlib.patches import Patch

_SHOWN_DIGITS = 7
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


class Versions:
    """Colours of the images that ran in the window's pods.

    Attributes:
        few: whether every image has a colour of its own; else a colour is the order within its workload.
    """

    def __init__(self, material: Material) -> None:
        instances = material.instances[material.instances["image"].notna()]
        digests = instances.groupby("image")["image_digest"].nunique()
        self._moved = frozenset(digests[digests > 1].index)
        pairs = zip(instances["image"], instances["image_digest"], strict=True)
        instances = instances.assign(image=[self._version(image, digest) for image, digest in pairs])
        known = material.pods[material.pods["workload"].notna()]
        workloads = dict(zip(keys_of(known), known["workload"], strict=True))
        lanes = [workloads.get(key, key) for key in keys_of(instances)]
        ordered = instances.assign(lane=lanes).sort_values("started_at", kind="stable", na_position="last")
        images = list(dict.fromkeys(ordered["image"]))
        self.few = len(images) <= len(VERSIONS)
        self._places: dict[tuple[Any, ...], int] = {}
        seen: dict[Any, int] = {}
        for row in ordered[["lane", "image"]].drop_duplicates().itertuples(index=False):
            group = (row.lane, repository(visible(row.image)))
            place = images.index(row.image) if self.few else seen.get(group, 0)
            seen[group] = seen.get(group, 0) + 1
            self._places[(*group, row.image)] = place
        self._images = images
        self._workloads = workloads

    def _version(self, image: Any, digest: Any) -> Any:
        """The reference; of a moved tag with the beginning of the digest that ran, where it is known."""
        if image not in self._moved or not isinstance(digest, str):
            return image
        return f"{image}@{digest.removeprefix('sha256:')[:_SHOWN_DIGITS]}"

    def look(self, key: str, image: object, digest: object = None) -> dict[str, Any]:
        """Fill and hatch of an instance's bar."""
        image = self._version(image, digest)
        place = self._places.get((self._workloads.get(key, key), repository(visible(image)), image))
        if place is None:
            return {"facecolor": FAINT, "hatch": ""}
        cycle, colour = divmod(place, len(VERSIONS))
        return {"facecolor": VERSIONS[colour], "hatch": HATCHES[min(cycle, len(HATCHES) - 1)]}

    def handles(self) -> list[Patch]:
        """Legend entries."""
        from matplotlib.patches import Patch

        if self.few:
            return [
                Patch(facecolor=VERSIONS[place], edgecolor="white", label=label(short_image(image), 40))
                for place, image in enumerate(self._images)
            ]
        most = min(max(self._places.values(), default=0) + 1, len(VERSIONS))
        return [
            Patch(
                facecolor=VERSIONS[place],
                edgecolor="white",
                label=f"{_ORDINALS[place]} version of its workload",
            )
            for place in range(most)
        ]
