//! The fields of an event of `audit.k8s.io/v1`.

use crate::lenient::{Loose, Object, Texts, Unread, fields};

fields! {
    /// One event.
    struct Event<'a> {
        level: Loose<'a> = "level",
        audit_id: Loose<'a> = "auditID",
        stage: Loose<'a> = "stage",
        uri: Loose<'a> = "requestURI",
        verb: Loose<'a> = "verb",
        user: Object<User<'a>> = "user",
        impersonated: Object<User<'a>> = "impersonatedUser",
        addresses: Texts<'a> = "sourceIPs",
        user_agent: Loose<'a> = "userAgent",
        object: Object<ObjectRef<'a>> = "objectRef",
        status: Object<Status<'a>> = "responseStatus",
        request: Unread<'a> = "requestObject",
        response: Unread<'a> = "responseObject",
        received: Loose<'a> = "requestReceivedTimestamp",
        stage_time: Loose<'a> = "stageTimestamp",
        annotations: Object<Annotations<'a>> = "annotations",
        /// Not of Kubernetes: the envelope in which AKS sends the event.
        envelope: Object<Envelope<'a>> = "properties",
        cluster: Loose<'a> = "resourceId",
    }

    /// `user`, `impersonatedUser`.
    struct User<'a> {
        name: Loose<'a> = "username",
        groups: Texts<'a> = "groups",
        extra: Object<Extra<'a>> = "extra",
    }

    /// `user.extra`.
    struct Extra<'a> {
        credential: Loose<'a> = "authentication.kubernetes.io/credential-id",
        access_key: Loose<'a> = "accessKeyId",
        session: Loose<'a> = "sessionName",
    }

    /// `objectRef`.
    struct ObjectRef<'a> {
        resource: Loose<'a> = "resource",
        namespace: Loose<'a> = "namespace",
        name: Loose<'a> = "name",
        group: Loose<'a> = "apiGroup",
        subresource: Loose<'a> = "subresource",
    }

    /// `responseStatus`.
    struct Status<'a> {
        code: Loose<'a> = "code",
        reason: Loose<'a> = "reason",
        message: Loose<'a> = "message",
    }

    /// `annotations`, as far as they count.
    struct Annotations<'a> {
        decision: Loose<'a> = "authorization.k8s.io/decision",
    }

    /// `properties` of a record of AKS.
    struct Envelope<'a> {
        log: Loose<'a> = "log",
    }
}
