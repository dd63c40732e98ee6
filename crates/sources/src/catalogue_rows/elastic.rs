//! Rows of Elasticsearch and OpenSearch.

use dataward_event::change::Control;

use super::{EmittedRow, rows};

rows! {
    ROLE_WIDE: AccessPolicy, "elasticsearch.role.wide", "role";
    ROLE_MAPPING: AccessPolicy, "elasticsearch.role_mapping.everyone", "role_mapping";
    USER_SUPERUSER: AccessPolicy, "elasticsearch.user.superuser", "user_roles";
    BUILT_IN_USER: Authentication, "elasticsearch.user.built_in_enabled", "built_in_user";
    BUILT_IN_PASSWORD: Authentication, "elasticsearch.user.password_changed", "built_in_password";
    ROLE_FILTERS: DataMasking, "elasticsearch.role.unfiltered", "role_filters";
    AUDIT_INDEX: AuditLogging, "elasticsearch.audit_index.deleted", "audit_index";
    SECURITY_INDEX: AccessPolicy, "elasticsearch.security_index.written", "security_index";
    REMOTE_CLUSTER: Sharing, "elasticsearch.remote_cluster.added", "cluster.remote";
    LICENSE: AuditLogging, "elasticsearch.license.lowered", "license";
    API_KEY: AccessPolicy, "elasticsearch.api_key.unbounded", "api_key";
    SERVICE_TOKEN: Authentication, "elasticsearch.service_token.created", "service_token";
    AUDIT_SETTINGS: AuditLogging, "elasticsearch.audit.settings", "xpack.security.audit";
    IP_FILTER: NetworkExposure, "elasticsearch.ip_filter.off", "ip_filter";
    REPOSITORY: Sharing, "elasticsearch.repository.registered", "snapshot_repository";
    SECURITY_DISABLED: Authentication, "elasticsearch.security.disabled", "xpack.security.enabled";
    ANONYMOUS: Authentication, "elasticsearch.anonymous.used", "anonymous_access";
    HTTP_PUBLIC: NetworkExposure, "elasticsearch.http.public", "http.host";
    TRANSPORT_TLS: EncryptionInTransit, "elasticsearch.transport_tls.off", "xpack.security.transport.ssl.enabled";
    OPENSEARCH_ANONYMOUS_USED: Authentication, "opensearch.anonymous.used", "anonymous_access";
    OPENSEARCH_ANONYMOUS: Authentication, "opensearch.anonymous_auth", "anonymous_auth_enabled";
    OPENSEARCH_DOMAIN: Authentication, "opensearch.authc_domain.disabled", "authc_domain";
    OPENSEARCH_FORBIDDEN: AccessPolicy, "opensearch.do_not_fail_on_forbidden", "do_not_fail_on_forbidden";
    OPENSEARCH_AUDIT: AuditLogging, "opensearch.audit.config", "audit_config";
    OPENSEARCH_MAPPING: AccessPolicy, "opensearch.role_mapping.everyone", "roles_mapping";
    OPENSEARCH_ADMIN: AccessPolicy, "opensearch.user.admin", "internal_users";
    OPENSEARCH_SETTINGS: AuditLogging, "opensearch.security.settings", "plugins.security";
    OPENSEARCH_TOKEN: Authentication, "opensearch.api_token.created", "api_token";
    OPENSEARCH_MASKING: DataMasking, "opensearch.role.masking_removed", "role_masking";
    OPENSEARCH_ROLE_WIDE: AccessPolicy, "opensearch.role.wide", "roles";
    OPENSEARCH_NODES: Authentication, "opensearch.nodes_dn.wildcard", "nodes_dn";
    OPENSEARCH_ALLOWLIST: OrgGuardrail, "opensearch.allowlist.opened", "allowlist";
    OPENSEARCH_API: AccessPolicy, "opensearch.security_api.called", "security_api";
    OPENSEARCH_INDEX_BLOCK: AccessPolicy, "opensearch.index.block_removed", "index_blocks";
    OPENSEARCH_SECURITY_INDEX: AccessPolicy, "opensearch.security_index.touched", "security_index";
    OPENSEARCH_SHARING: Sharing, "opensearch.resource.public", "resource_sharing";
}
