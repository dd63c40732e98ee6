//! The fields of records of Azure Monitor: the activity log as it comes through a hub, as its API returns it and as a
//! workspace keeps it, and resource logs.

use dataward_event::audit_event::Text;

use crate::lenient::{Loose, Object, Unread, fields};

fields! {
    /// One record.
    struct Record<'a> {
        time: Loose<'a> = "time" | "eventTimestamp" | "TimeGenerated",
        resource: Loose<'a> = "resourceId" | "ResourceId" | "resourceID",
        workspace_resource: Loose<'a> = "_ResourceId",
        operation: Unread<'a> = "operationName" | "OperationName",
        operation_value: Loose<'a> = "OperationNameValue",
        category: Unread<'a> = "category" | "Category" | "CategoryValue",
        result: Loose<'a> = "resultType" | "ResultType" | "ActivityStatusValue",
        status: Unread<'a> = "status",
        signature: Loose<'a> = "resultSignature" | "ResultSignature",
        description: Loose<'a> = "resultDescription" | "ResultDescription",
        status_code: Loose<'a> = "statusCode" | "StatusCode",
        status_text: Loose<'a> = "statusText" | "StatusText",
        caller_address: Loose<'a> = "callerIpAddress" | "CallerIpAddress" | "CallerIPAddress",
        http: Object<Http<'a>> = "httpRequest",
        correlation: Loose<'a> = "correlationId" | "CorrelationId",
        event_data: Loose<'a> = "eventDataId" | "EventDataId",
        operation_id: Loose<'a> = "operationId" | "OperationId",
        identity: Object<Identity<'a>> = "identity",
        claims: Object<Claims<'a>> = "claims" | "Claims_d",
        authorization: Object<Authorization<'a>> = "authorization",
        caller: Loose<'a> = "caller" | "Caller",
        location: Loose<'a> = "location" | "Location",
        subscription: Loose<'a> = "subscriptionId" | "SubscriptionId",
        properties: Unread<'a> = "properties" | "Properties",
        uri: Loose<'a> = "uri" | "Uri",
    }

    /// `httpRequest` of the API's form.
    struct Http<'a> {
        address: Loose<'a> = "clientIpAddress",
        request: Loose<'a> = "clientRequestId",
    }

    /// `{"value": …, "localizedValue": …}` of the API's form.
    struct Valued<'a> {
        value: Loose<'a> = "value",
    }

    /// `identity`, whose shape is the category's.
    struct Identity<'a> {
        claims: Object<Claims<'a>> = "claims" | "claim",
        authorization: Object<Authorization<'a>> = "authorization",
        kind: Loose<'a> = "type",
        token_hash: Loose<'a> = "tokenHash",
        requester: Object<Requester<'a>> = "requester",
    }

    /// `authorization` of the activity log.
    struct Authorization<'a> {
        evidence: Object<Evidence<'a>> = "evidence",
    }

    /// `authorization.evidence`.
    struct Evidence<'a> {
        principal_type: Loose<'a> = "principalType",
    }

    /// `requester` of Storage.
    struct Requester<'a> {
        object: Loose<'a> = "objectId",
        name: Loose<'a> = "upn",
        app: Loose<'a> = "appId",
        tenant: Loose<'a> = "tenantId",
    }

    /// The claims of a token.
    struct Claims<'a> {
        object: Loose<'a> = "http://schemas.microsoft.com/identity/claims/objectidentifier" | "oid",
        name: Loose<'a> = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn" | "upn" | "unique_name",
        full_name: Loose<'a> = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name" | "name",
        app: Loose<'a> = "appid" | "azp",
        kind: Loose<'a> = "idtyp",
        tenant: Loose<'a> = "http://schemas.microsoft.com/identity/claims/tenantid" | "tid",
        methods: Unread<'a> = "http://schemas.microsoft.com/claims/authnmethodsreferences" | "amr",
        session: Loose<'a> = "sid" | "http://schemas.microsoft.com/claims/sid",
        token: Loose<'a> = "uti",
        managed_identity: Loose<'a> = "xms_mirid",
    }

    /// `properties` of every category that is read: what one does not have is empty.
    struct Properties<'a> {
        // The activity log.
        request_body: Unread<'a> = "requestbody" | "requestBody",
        response_body: Unread<'a> = "responseBody" | "responsebody",
        status_code: Loose<'a> = "statusCode" | "statusCode_s",
        status_message: Loose<'a> = "statusMessage",
        service_request: Loose<'a> = "serviceRequestId",
        // Storage.
        object_key: Loose<'a> = "objectKey" | "ObjectKey",
        request_size: Loose<'a> = "requestBodySize" | "RequestBodySize",
        response_size: Loose<'a> = "responseBodySize" | "ResponseBodySize",
        user_agent: Loose<'a> = "userAgentHeader" | "UserAgentHeader" | "userAgent" | "userAgent_s",
        source_uri: Loose<'a> = "sourceUri" | "SourceUri" | "copySource",
        // Key Vault.
        id: Loose<'a> = "id" | "id_s",
        client_info: Loose<'a> = "clientInfo" | "clientInfo_s",
        http_status: Loose<'a> = "httpStatusCode" | "httpStatusCode_d",
        // Cosmos DB.
        activity: Loose<'a> = "activityId" | "activityId_g" | "ActivityId",
        requested: Loose<'a> = "requestResourceId" | "requestResourceId_s",
        requested_type: Loose<'a> = "requestResourceType" | "requestResourceType_s",
        client_address: Loose<'a> = "clientIpAddress" | "clientIpAddress_s",
        response_length: Loose<'a> = "responseLength" | "responseLength_s",
        cosmos_principal: Loose<'a> = "aadPrincipalId" | "aadPrincipalId_g",
        token_type: Loose<'a> = "authTokenType" | "authTokenType_s",
        partition_key: Loose<'a> = "partitionKey" | "partitionKey_s",
        // Audit of Azure SQL.
        event: Loose<'a> = "event_id" | "event_id_g",
        event_time: Loose<'a> = "event_time" | "event_time_t",
        sequence: Loose<'a> = "sequence_number" | "sequence_number_d",
        action_id: Loose<'a> = "action_id" | "action_id_s",
        action: Loose<'a> = "action_name" | "action_name_s",
        succeeded: Loose<'a> = "succeeded" | "succeeded_s" | "succeeded_b",
        session: Loose<'a> = "session_id" | "session_id_d",
        principal: Loose<'a> = "server_principal_name" | "server_principal_name_s",
        session_principal: Loose<'a> = "session_server_principal_name" | "session_server_principal_name_s",
        database_principal: Loose<'a> = "database_principal_name" | "database_principal_name_s",
        database: Loose<'a> = "database_name" | "database_name_s",
        schema: Loose<'a> = "schema_name" | "schema_name_s",
        object: Loose<'a> = "object_name" | "object_name_s",
        statement: Loose<'a> = "statement" | "statement_s",
        client_ip: Loose<'a> = "client_ip" | "client_ip_s",
        host: Loose<'a> = "host_name" | "host_name_s",
        application: Loose<'a> = "application_name" | "application_name_s",
        rows: Loose<'a> = "response_rows" | "response_rows_d",
    }
}

/// A value that is a text, or an object that holds it.
pub(super) fn valued(unread: Unread<'_>) -> Option<Text<'_>> {
    if unread.json()?.starts_with('{') {
        return unread.read::<Object<Valued<'_>>>()?.fields.value.text();
    }
    unread.read::<Loose<'_>>()?.text()
}
