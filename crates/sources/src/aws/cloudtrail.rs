//! The fields of a CloudTrail event, as CloudTrail names them.

use dataward_event::audit_event::Text;
use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::lenient::{Fields, Loose, Object, ignore};

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

/// `userIdentity`.
#[derive(Default)]
pub(crate) struct Identity<'a> {
    pub(crate) kind: Loose<'a>,
    pub(crate) principal: Loose<'a>,
    pub(crate) arn: Loose<'a>,
    pub(crate) account: Loose<'a>,
    pub(crate) access_key: Loose<'a>,
    pub(crate) user_name: Loose<'a>,
    pub(crate) invoked_by: Loose<'a>,
    pub(crate) session: Object<Session<'a>>,
    pub(crate) on_behalf_of: Object<OnBehalfOf<'a>>,
    pub(crate) issued_to: Object<InScopeOf<'a>>,
}

impl<'de: 'a, 'a> Fields<'de> for Identity<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "type" => self.kind = map.next_value()?,
            "principalId" => self.principal = map.next_value()?,
            "arn" => self.arn = map.next_value()?,
            "accountId" => self.account = map.next_value()?,
            "accessKeyId" => self.access_key = map.next_value()?,
            "userName" => self.user_name = map.next_value()?,
            "invokedBy" => self.invoked_by = map.next_value()?,
            "sessionContext" => self.session = map.next_value()?,
            "onBehalfOf" => self.on_behalf_of = map.next_value()?,
            "inScopeOf" => self.issued_to = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}

/// `userIdentity.sessionContext`.
#[derive(Default)]
pub(crate) struct Session<'a> {
    pub(crate) issuer: Object<Issuer<'a>>,
    pub(crate) attributes: Object<Attributes<'a>>,
    pub(crate) ec2_role_delivery: Loose<'a>,
}

impl<'de: 'a, 'a> Fields<'de> for Session<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "sessionIssuer" => self.issuer = map.next_value()?,
            "attributes" => self.attributes = map.next_value()?,
            "ec2RoleDelivery" => self.ec2_role_delivery = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}

/// `userIdentity.sessionContext.sessionIssuer`.
#[derive(Default)]
pub(crate) struct Issuer<'a> {
    pub(crate) arn: Loose<'a>,
    pub(crate) name: Loose<'a>,
}

impl<'de: 'a, 'a> Fields<'de> for Issuer<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "arn" => self.arn = map.next_value()?,
            "userName" => self.name = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}

/// `userIdentity.sessionContext.attributes`.
#[derive(Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) mfa: Loose<'a>,
}

impl<'de: 'a, 'a> Fields<'de> for Attributes<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "mfaAuthenticated" => self.mfa = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}

/// `userIdentity.onBehalfOf`: the person for whom a service acts with a forwarded identity.
#[derive(Default)]
pub(crate) struct OnBehalfOf<'a> {
    pub(crate) user: Loose<'a>,
}

impl<'de: 'a, 'a> Fields<'de> for OnBehalfOf<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "userId" => self.user = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}

/// `userIdentity.inScopeOf`: the resource that the credentials were issued to.
#[derive(Default)]
pub(crate) struct InScopeOf<'a> {
    pub(crate) credentials_issued_to: Loose<'a>,
}

impl<'de: 'a, 'a> Fields<'de> for InScopeOf<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "credentialsIssuedTo" => self.credentials_issued_to = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}

/// One element of `resources`.
#[derive(Default)]
pub(crate) struct Resource<'a> {
    pub(crate) arn: Loose<'a>,
    pub(crate) kind: Loose<'a>,
}

impl<'de: 'a, 'a> Fields<'de> for Resource<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "ARN" | "arn" => self.arn = map.next_value()?,
            "type" => self.kind = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}

/// `additionalEventData`, as far as it counts.
#[derive(Default)]
pub(crate) struct Additional<'a> {
    pub(crate) bytes_out: Loose<'a>,
    pub(crate) mfa_used: Loose<'a>,
}

impl<'de: 'a, 'a> Fields<'de> for Additional<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        match &*name {
            "bytesTransferredOut" => self.bytes_out = map.next_value()?,
            "MFAUsed" => self.mfa_used = map.next_value()?,
            _ => return ignore(map),
        }
        Ok(())
    }
}
