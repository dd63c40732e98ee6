//! Elasticsearch and OpenSearch.

pub(crate) mod audit;
pub(crate) mod opensearch;
pub(crate) mod server;
