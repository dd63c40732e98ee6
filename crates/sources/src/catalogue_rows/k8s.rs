//! Rows of `k8s.audit`.

use super::{EmittedRow, rows};
use dataward_event::change::Control;

rows! {
    SERVICE_EXPOSED: NetworkExposure, "k8s.service.exposed", "services";
    NETWORK_POLICY: NetworkExposure, "k8s.network_policy.weakened", "networkpolicies";
    INGRESS_EXPOSED: NetworkExposure, "k8s.ingress.datastore", "ingresses";
    WORKLOAD_OPEN: Authentication, "k8s.workload.authentication_off", "containers";
    ELASTICSEARCH_OPEN: Authentication, "k8s.elasticsearch.weakened", "elasticsearches";
    RBAC_ANONYMOUS: AccessPolicy, "k8s.rbac.anonymous", "bindings";
}
