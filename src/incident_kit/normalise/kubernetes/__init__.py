"""Kubernetes objects -> OBJECTS, PODS, CONTAINERS, EVENTS."""

from __future__ import annotations

from incident_kit.normalise.kubernetes.lists import collected_plurals, normalise_kubernetes

__all__ = ["collected_plurals", "normalise_kubernetes"]
