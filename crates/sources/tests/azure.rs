//! Records of Azure Monitor: what each says, and which changes of protection it states.

mod cloud;

use dataward_sources::source::Source;
use serde_json::json;

#[test]
fn every_case_is_told() {
    cloud::run(Source::AzureActivity, "azure.json", "azure.");
}

#[test]
fn a_hub_sends_records_in_a_list() {
    let record = json!({"time": "2026-03-04T05:06:07Z", "operationName": "GetBlob",
        "resourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
        "category": "StorageRead", "statusCode": 200, "correlationId": "c"});
    let hub = json!({"records": [record]}).to_string();
    let event = cloud::read(Source::Auto, &hub);
    assert_eq!((event.source.as_ref(), event.operation.as_ref()), ("azure.activity", "GetBlob"));
    assert_eq!(event.uid, cloud::read(Source::AzureActivity, &record.to_string()).uid);
    let mut other = record;
    other["time"] = json!("2026-03-04T05:06:08Z");
    assert_ne!(event.uid, cloud::read(Source::AzureActivity, &other.to_string()).uid);
}
