//! The fields of a CloudTrail event, as CloudTrail names them.

use dataward_event::audit_event::Text;
use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::lenient::{Fields, Loose, Object, fields, ignore};

/// One CloudTrail event, borrowing from its text. Request and response stay unread until somebody needs them.
#[derive(Default)]
pub(crate) struct CloudTrail<'a> {
    pub(crate) event_id: Loose<'a>,
    pub(crate) event_time: Loose<'a>,
    pub(crate) collector_time: Loose<'a>,
    pub(crate) event_source: Loose<'a>,
    pub(crate) event_name: Loose<'a>,
    pub(crate) event_type: Loose<'a>,
    pub(crate) region: Loose<'a>,
    pub(crate) source_address: Loose<'a>,
    pub(crate) user_agent: Loose<'a>,
    pub(crate) error_code: Loose<'a>,
    pub(crate) error_message: Loose<'a>,
    pub(crate) request_id: Loose<'a>,
    pub(crate) shared_event_id: Loose<'a>,
    pub(crate) recipient_account: Loose<'a>,
    pub(crate) vpc_endpoint: Loose<'a>,
    pub(crate) read_only: Loose<'a>,
    pub(crate) management_event: Loose<'a>,
    pub(crate) from_console: Loose<'a>,
    pub(crate) identity: Object<Identity<'a>>,
    pub(crate) request: Option<&'a RawValue>,
    pub(crate) response: Option<&'a RawValue>,
    pub(crate) additional: Object<Additional<'a>>,
    pub(crate) resources: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Fields<'de> for CloudTrail<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        let scalar = match &*name {
            "eventID" => &mut self.event_id,
            "eventTime" => &mut self.event_time,
            "@timestamp" => &mut self.collector_time,
            "eventSource" => &mut self.event_source,
            "eventName" => &mut self.event_name,
            "eventType" => &mut self.event_type,
            "awsRegion" => &mut self.region,
            "sourceIPAddress" => &mut self.source_address,
            "userAgent" => &mut self.user_agent,
            "errorCode" => &mut self.error_code,
            "errorMessage" => &mut self.error_message,
            "requestID" => &mut self.request_id,
            "sharedEventID" => &mut self.shared_event_id,
            "recipientAccountId" => &mut self.recipient_account,
            "vpcEndpointId" => &mut self.vpc_endpoint,
            "readOnly" => &mut self.read_only,
            "managementEvent" => &mut self.management_event,
            "sessionCredentialFromConsole" => &mut self.from_console,
            "userIdentity" => {
                self.identity = map.next_value()?;
                return Ok(());
            }
            "requestParameters" => return read_raw(&mut self.request, map),
            "responseElements" => return read_raw(&mut self.response, map),
            "additionalEventData" => {
                self.additional = map.next_value()?;
                return Ok(());
            }
            "resources" => return read_raw(&mut self.resources, map),
            _ => return ignore(map),
        };
        *scalar = map.next_value()?;
        Ok(())
    }
}

fn read_raw<'de: 'a, 'a, A: MapAccess<'de>>(
    field: &mut Option<&'a RawValue>,
    map: &mut A,
) -> Result<(), A::Error> {
    let raw: &'de RawValue = map.next_value()?;
    *field = (raw.get() != "null").then_some(raw);
    Ok(())
}

fields! {
    /// `userIdentity`.
    struct Identity<'a> {
        kind: Loose<'a> = "type",
        principal: Loose<'a> = "principalId",
        arn: Loose<'a> = "arn",
        account: Loose<'a> = "accountId",
        access_key: Loose<'a> = "accessKeyId",
        user_name: Loose<'a> = "userName",
        invoked_by: Loose<'a> = "invokedBy",
        session: Object<Session<'a>> = "sessionContext",
        on_behalf_of: Object<OnBehalfOf<'a>> = "onBehalfOf",
        issued_to: Object<InScopeOf<'a>> = "inScopeOf",
    }

    /// `userIdentity.sessionContext`.
    struct Session<'a> {
        issuer: Object<Issuer<'a>> = "sessionIssuer",
        attributes: Object<Attributes<'a>> = "attributes",
        ec2_role_delivery: Loose<'a> = "ec2RoleDelivery",
    }

    /// `userIdentity.sessionContext.sessionIssuer`.
    struct Issuer<'a> {
        arn: Loose<'a> = "arn",
        name: Loose<'a> = "userName",
    }

    /// `userIdentity.sessionContext.attributes`.
    struct Attributes<'a> {
        mfa: Loose<'a> = "mfaAuthenticated",
    }

    /// `userIdentity.onBehalfOf`: the person for whom a service acts with a forwarded identity.
    struct OnBehalfOf<'a> {
        user: Loose<'a> = "userId",
    }

    /// `userIdentity.inScopeOf`: the resource that the credentials were issued to.
    struct InScopeOf<'a> {
        credentials_issued_to: Loose<'a> = "credentialsIssuedTo",
    }

    /// One element of `resources`.
    struct Resource<'a> {
        arn: Loose<'a> = "ARN" | "arn",
        kind: Loose<'a> = "type",
    }

    /// `additionalEventData`, as far as it counts.
    struct Additional<'a> {
        bytes_out: Loose<'a> = "bytesTransferredOut",
        bytes_in: Loose<'a> = "bytesTransferredIn",
        mfa_used: Loose<'a> = "MFAUsed",
    }
}
