//! Audit events of Kubernetes: what each says, and which changes of protection it states.

mod cloud;

use dataward_sources::source::Source;
use serde_json::json;

#[test]
fn every_case_is_told() {
    cloud::run(Source::K8sAudit, "k8s.json", "k8s.");
}

#[test]
fn stages_and_envelopes() {
    let event = json!({"kind": "Event", "auditID": "a1", "stage": "ResponseComplete", "verb": "get",
        "stageTimestamp": "2026-03-04T05:06:07.000000Z", "user": {"username": "ada@example.com"},
        "objectRef": {"resource": "secrets", "namespace": "shop", "name": "db"}, "responseStatus": {"code": 200}});
    let list = json!({"kind": "EventList", "items": [event]}).to_string();
    assert_eq!(cloud::read(Source::Auto, &list).uid, "a1/ResponseComplete");
    let aks = json!({"time": "2026-03-04T05:06:08Z", "category": "kube-audit",
        "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/ORDERS",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": event.to_string()}});
    let read = cloud::read(Source::K8sAudit, &aks.to_string());
    assert_eq!(read.uid, "a1/ResponseComplete");
    assert_eq!(
        read.datastore.map(|d| d.uid.into_owned()).as_deref(),
        Some("kubernetes/orders/shop/secrets/db")
    );
}
