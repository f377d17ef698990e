"""NetworkPolicies evaluated as Kubernetes defines them: may this pod reach that one, and which policy says no."""

from __future__ import annotations

from incident_kit.correlate.network_policy.endpoints import Endpoint, endpoint_of_pod, external, service_targets
from incident_kit.correlate.network_policy.evaluate import Decision, may_connect

__all__ = ["Decision", "Endpoint", "endpoint_of_pod", "external", "may_connect", "service_targets"]
