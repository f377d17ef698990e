"""Profile: which systems to read, and how this shop names things.

Profiles stand in ``incident-kit.toml``, several of them as ``[profiles.NAME]``; see docs/profile.md. Credentials never
do: they come from the kubeconfig, the environment or the keyring (`profile.credentials`, which only those load who speak
to servers), and a credential written into the file is refused.
"""

from __future__ import annotations

from incident_kit.profile.file import find_file, load_profile, profile_names
from incident_kit.profile.settings import (
    ArgocdSettings,
    ConsolePattern,
    ElasticsearchSettings,
    FieldRoles,
    KubernetesSettings,
    Profile,
    RabbitmqSettings,
    RedactionSettings,
    ReleaseGroup,
    default_profile,
)

__all__ = [
    "ArgocdSettings",
    "ConsolePattern",
    "ElasticsearchSettings",
    "FieldRoles",
    "KubernetesSettings",
    "Profile",
    "RabbitmqSettings",
    "RedactionSettings",
    "ReleaseGroup",
    "default_profile",
    "find_file",
    "load_profile",
    "profile_names",
]
