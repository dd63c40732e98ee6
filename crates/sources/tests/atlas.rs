//! Events of MongoDB Atlas: what each says, and which changes of protection it states.

mod cloud;

use dataward_sources::source::Source;

#[test]
fn every_case_is_told() {
    cloud::run(Source::MongodbAtlas, "atlas.json", "atlas.");
}

#[test]
fn a_page_of_results_is_a_list_of_events() {
    let page = r#"{"results":[{"id":"e1","created":"2026-03-04T05:06:07Z","eventTypeName":"CLUSTER_CREATED","groupId":"p"}],"totalCount":1}"#;
    let event = cloud::read(Source::MongodbAtlas, page);
    assert_eq!((event.uid.as_ref(), event.source.as_ref()), ("e1", "mongodb.atlas"));
}
