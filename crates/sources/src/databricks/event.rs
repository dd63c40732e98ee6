//! The fields of an audit event, as delivered files, system tables and Azure's diagnostic logs name them.

use crate::lenient::{Loose, Object, Unread, fields};

fields! {
    /// One event. In the record of Azure most of it stands in `properties`.
    struct Event<'a> {
        event_id: Loose<'a> = "eventId" | "event_id",
        timestamp: Loose<'a> = "timestamp" | "event_time" | "time",
        account: Loose<'a> = "accountId" | "account_id",
        workspace: Loose<'a> = "workspaceId" | "workspace_id" | "orgId",
        level: Loose<'a> = "auditLevel" | "audit_level",
        address: Loose<'a> = "sourceIPAddress" | "source_ip_address" | "sourceIpAddress",
        user_agent: Loose<'a> = "userAgent" | "user_agent",
        session: Loose<'a> = "sessionId" | "session_id",
        identity: Unread<'a> = "userIdentity" | "user_identity" | "identity",
        metadata: Object<Metadata<'a>> = "identityMetadata" | "identity_metadata",
        service: Loose<'a> = "serviceName" | "service_name",
        action: Loose<'a> = "actionName" | "action_name",
        request: Loose<'a> = "requestId" | "request_id",
        params: Unread<'a> = "requestParams" | "request_params",
        response: Unread<'a> = "response",
        properties: Unread<'a> = "properties",
        resource: Loose<'a> = "resourceId",
        location: Loose<'a> = "location",
    }

    /// `userIdentity`.
    struct Identity<'a> {
        email: Loose<'a> = "email",
        subject: Loose<'a> = "subjectName" | "subject_name",
    }

    /// `identity_metadata`: who ran it, and as whom.
    struct Metadata<'a> {
        run_by: Loose<'a> = "run_by" | "runBy",
        run_as: Loose<'a> = "run_as" | "runAs",
    }

    /// `response`.
    struct Response<'a> {
        status: Loose<'a> = "statusCode" | "status_code",
        message: Loose<'a> = "errorMessage" | "error_message",
        result: Loose<'a> = "result",
    }

    /// `response.result` of a read by a recipient: JSON inside a text.
    struct Shared<'a> {
        records: Loose<'a> = "numRecords",
        bytes: Loose<'a> = "scannedAddFileSize",
        files: Loose<'a> = "numAddFiles" | "activeAddFiles",
    }
}
