//! What an operation is: its OCSF class and activity, and which part of the archive it belongs to.

use dataward_event::audit_event::{AuditEvent, Class, EventKind};

/// The meaning of one operation. Names and numbers are OCSF's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Act {
    /// The part of the archive.
    pub(crate) kind: EventKind,
    /// The class.
    pub(crate) class: Class,
    /// The activity in the class.
    pub(crate) activity_id: u16,
}

const fn access(activity_id: u16) -> Act {
    Act { kind: EventKind::Access, class: Class::DatastoreActivity, activity_id }
}

const fn change(class: Class, activity_id: u16) -> Act {
    Act { kind: EventKind::ConfigChange, class, activity_id }
}

const fn authentication(activity_id: u16) -> Act {
    Act { kind: EventKind::Authentication, class: Class::Authentication, activity_id }
}

#[rustfmt::skip]
impl Act {
    pub(crate) const UNKNOWN: Self = access(0);
    pub(crate) const READ: Self = access(1);
    pub(crate) const UPDATE: Self = access(2);
    pub(crate) const CONNECT: Self = access(3);
    pub(crate) const QUERY: Self = access(4);
    pub(crate) const WRITE: Self = access(5);
    pub(crate) const DELETE: Self = access(7);
    pub(crate) const LIST: Self = access(8);
    pub(crate) const DECRYPT: Self = access(10);
    pub(crate) const OTHER: Self = access(99);
    /// Metadata was asked for over an API.
    pub(crate) const API_READ: Self = Self { kind: EventKind::Access, class: Class::ApiActivity, activity_id: 2 };
    /// A table, an index, a collection inside a datastore was made, changed or removed.
    pub(crate) const SCHEMA_CREATE: Self = change(Class::DatastoreActivity, 6);
    pub(crate) const SCHEMA_UPDATE: Self = change(Class::DatastoreActivity, 2);
    pub(crate) const SCHEMA_DELETE: Self = change(Class::DatastoreActivity, 7);
    /// A resource was made, changed or removed over an API.
    pub(crate) const API_CREATE: Self = change(Class::ApiActivity, 1);
    pub(crate) const API_UPDATE: Self = change(Class::ApiActivity, 3);
    pub(crate) const API_DELETE: Self = change(Class::ApiActivity, 4);
    pub(crate) const API_OTHER: Self = change(Class::ApiActivity, 99);
    pub(crate) const LOGON: Self = authentication(1);
    pub(crate) const LOGOFF: Self = authentication(2);
    pub(crate) const ACCOUNT_SWITCH: Self = authentication(7);
    pub(crate) const USER_CREATE: Self = change(Class::AccountChange, 1);
    pub(crate) const USER_ENABLE: Self = change(Class::AccountChange, 2);
    pub(crate) const PASSWORD_CHANGE: Self = change(Class::AccountChange, 3);
    pub(crate) const USER_DISABLE: Self = change(Class::AccountChange, 5);
    pub(crate) const USER_DELETE: Self = change(Class::AccountChange, 6);
    pub(crate) const USER_UPDATE: Self = change(Class::AccountChange, 99);
    pub(crate) const GRANT: Self = change(Class::UserAccess, 1);
    pub(crate) const REVOKE: Self = change(Class::UserAccess, 2);
    pub(crate) const ENTITY_CREATE: Self = change(Class::EntityManagement, 1);
    pub(crate) const ENTITY_UPDATE: Self = change(Class::EntityManagement, 3);
    pub(crate) const ENTITY_DELETE: Self = change(Class::EntityManagement, 4);
    /// A setting of a server.
    pub(crate) const CONFIG: Self = change(Class::DeviceConfigState, 1);
    pub(crate) const LOG_START: Self = change(Class::EventLog, 6);
    pub(crate) const LOG_STOP: Self = change(Class::EventLog, 7);
    pub(crate) const LOG_ENABLE: Self = change(Class::EventLog, 9);
    pub(crate) const LOG_DISABLE: Self = change(Class::EventLog, 10);
    pub(crate) const APP_START: Self = change(Class::ApplicationLifecycle, 3);
    pub(crate) const APP_STOP: Self = change(Class::ApplicationLifecycle, 4);
}

impl Act {
    /// Says of an event what it is.
    pub(crate) fn put(self, event: &mut AuditEvent<'_>) {
        event.kind = self.kind;
        event.class = self.class;
        event.activity_id = self.activity_id;
    }
}
