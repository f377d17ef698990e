"""A scenario of changes on the real Argo CD and Kubernetes: for every rule about changes what must be found, and what must not."""
