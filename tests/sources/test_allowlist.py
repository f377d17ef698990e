"""Nothing but reading is ever sent."""

import pytest

from incident_kit.sources.allowlist import ForbiddenRequest, permit


@pytest.mark.parametrize(
    ("system", "method", "path"),
    [
        ("kubernetes", "GET", "/api/v1/pods?limit=500"),
        ("kubernetes", "GET", "/apis/apps/v1/namespaces/shop/replicasets"),
        ("kubernetes", "GET", "/apis/argoproj.io/v1alpha1/applications"),
        ("kubernetes", "GET", "/api/v1/namespaces/shop/pods/orders-0/log?previous=true"),
        ("kubernetes", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
        ("kubernetes-node-logs", "GET", "/api/v1/nodes/node-a/proxy/logs/pods/shop_orders-0_1/app/0.log"),
        ("elasticsearch", "POST", "/_search?request_cache=false"),
        ("elasticsearch", "POST", "/logs-*,audit-*/_pit?keep_alive=5m"),
        ("elasticsearch", "DELETE", "/_pit"),
        ("elasticsearch", "POST", "/_security/user/_has_privileges"),
        ("rabbitmq", "GET", "/api/connections/10.0.0.1%3A1%20-%3E%2010.0.0.2%3A5672"),
    ],
)
def test_what_the_kit_needs_is_permitted(system: str, method: str, path: str) -> None:
    permit(system, method, path)


@pytest.mark.parametrize(
    ("system", "method", "path"),
    [
        ("kubernetes", "DELETE", "/api/v1/namespaces/shop/pods/orders-0"),
        ("kubernetes", "PATCH", "/apis/apps/v1/namespaces/shop/deployments/orders"),
        ("kubernetes", "POST", "/api/v1/namespaces/shop/pods/orders-0/exec?command=sh"),
        ("kubernetes", "GET", "/api/v1/namespaces/shop/pods/orders-0/exec?command=sh"),
        ("kubernetes", "GET", "/api/v1/namespaces/shop/pods/orders-0/proxy/admin"),
        ("kubernetes", "GET", "/api/v1/nodes/node-a/proxy/logs/pods"),
        ("kubernetes", "GET", "/api/v1/namespaces/shop/pods/..%2F..%2Fnodes/log"),
        ("kubernetes", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        ("kubernetes-node-logs", "GET", "/api/v1/nodes/node-a/proxy/run/shop/orders/app"),
        ("kubernetes-node-logs", "GET", "/api/v1/nodes/node-a/proxy/logs/../exec"),
        ("elasticsearch", "POST", "/logs-1/_doc"),
        ("elasticsearch", "POST", "/_bulk"),
        ("elasticsearch", "DELETE", "/logs-1"),
        ("elasticsearch", "POST", "/logs-1/_delete_by_query"),
        ("elasticsearch", "PUT", "/_security/role/x"),
        ("elasticsearch", "POST", "/logs-1/_close"),
        ("rabbitmq", "DELETE", "/api/connections/x"),
        ("rabbitmq", "PUT", "/api/users/x"),
        ("rabbitmq", "POST", "/api/queues/shop/orders/get"),
    ],
)
def test_everything_else_is_refused_before_it_is_sent(system: str, method: str, path: str) -> None:
    with pytest.raises(ForbiddenRequest, match="allow-list"):
        permit(system, method, path)
