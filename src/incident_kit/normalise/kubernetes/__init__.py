"""Kubernetes objects -> OBJECTS, PODS, CONTAINERS, EVENTS."""

from __future__ import annotations

from incident_kit.normalise.kubernetes.lists import KINDS, collected_plurals, normalise_kubernetes

__all__ = ["KINDS", "collected_plurals", "normalise_kubernetes"]
