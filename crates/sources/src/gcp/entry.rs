//! The fields of a log entry of Cloud Logging that holds an audit log.

use crate::lenient::{Loose, Object, Texts, Unread, fields};

fields! {
    /// `LogEntry`.
    struct Entry<'a> {
        insert_id: Loose<'a> = "insertId",
        timestamp: Loose<'a> = "timestamp",
        receive_timestamp: Loose<'a> = "receiveTimestamp",
        log_name: Loose<'a> = "logName",
        severity: Loose<'a> = "severity",
        payload: Object<AuditLog<'a>> = "protoPayload",
        resource: Object<Resource<'a>> = "resource",
        operation: Object<Operation<'a>> = "operation",
    }

    /// `resource`: the monitored resource.
    struct Resource<'a> {
        kind: Loose<'a> = "type",
        labels: Object<Labels<'a>> = "labels",
    }

    /// The labels of a monitored resource.
    struct Labels<'a> {
        project: Loose<'a> = "project_id",
        database: Loose<'a> = "database_id",
        location: Loose<'a> = "location",
        region: Loose<'a> = "region",
        zone: Loose<'a> = "zone",
    }

    /// `operation`: what joins the entries of one long-running call.
    struct Operation<'a> {
        id: Loose<'a> = "id",
        first: Loose<'a> = "first",
        last: Loose<'a> = "last",
    }

    /// `protoPayload`. What differs by service stays unread until somebody needs it.
    struct AuditLog<'a> {
        service: Loose<'a> = "serviceName",
        method: Loose<'a> = "methodName",
        resource: Loose<'a> = "resourceName",
        status: Object<Status<'a>> = "status",
        authentication: Object<Authentication<'a>> = "authenticationInfo",
        caller: Object<Caller<'a>> = "requestMetadata",
        location: Object<Location<'a>> = "resourceLocation",
        response_items: Loose<'a> = "numResponseItems",
        request: Unread<'a> = "request",
        response: Unread<'a> = "response",
        metadata: Unread<'a> = "metadata",
        service_data: Unread<'a> = "serviceData",
    }

    /// `google.rpc.Status`.
    struct Status<'a> {
        code: Loose<'a> = "code",
        message: Loose<'a> = "message",
    }

    /// `authenticationInfo`.
    struct Authentication<'a> {
        email: Loose<'a> = "principalEmail",
        subject: Loose<'a> = "principalSubject",
        key: Loose<'a> = "serviceAccountKeyName",
        delegation: Unread<'a> = "serviceAccountDelegationInfo",
    }

    /// One element of `serviceAccountDelegationInfo`.
    struct Delegation<'a> {
        subject: Loose<'a> = "principalSubject",
        first_party: Object<Authentication<'a>> = "firstPartyPrincipal",
    }

    /// `requestMetadata`.
    struct Caller<'a> {
        ip: Loose<'a> = "callerIp",
        user_agent: Loose<'a> = "callerSuppliedUserAgent",
        network: Loose<'a> = "callerNetwork",
    }

    /// `resourceLocation`.
    struct Location<'a> {
        current: Texts<'a> = "currentLocations",
    }

    /// `request` of a statement that a database recorded: `PgAuditEntry` and its kin.
    struct Statement<'a> {
        kind: Loose<'a> = "@type",
        statement: Loose<'a> = "statement" | "query",
        command: Loose<'a> = "command" | "cmd",
        database: Loose<'a> = "database" | "db",
        user: Loose<'a> = "user",
        session: Loose<'a> = "databaseSessionId" | "threadId",
        rows: Loose<'a> = "rows",
    }
}
