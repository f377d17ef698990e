"""Kubernetes objects -> OBJECTS, PODS, CONTAINERS, EVENTS."""

from __future__ import annotations

from incident_kit.normalise.kubernetes.lists import normalise_kubernetes

__all__ = ["normalise_kubernetes"]
