//! The columns of the views of `ACCOUNT_USAGE`, in any of the ways in which they are exported.

use dataward_event::audit_event::Text;
use serde::de::MapAccess;

use crate::lenient::{Fields, Loose, Unread, ignore};

macro_rules! columns {
    ($($(#[$note:meta])* $field:ident: $type:ty = $($column:literal)|+,)*) => {
        /// One row. Which view it is of is told by which columns are filled.
        #[derive(Debug, Default)]
        pub(super) struct Row<'a> {
            $($(#[$note])* pub(super) $field: $type,)*
        }

        impl<'de: 'a, 'a> Fields<'de> for Row<'a> {
            fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
                let mut buffer = [0; COLUMN_BYTES_MAX];
                match column(&name, &mut buffer) {
                    $($($column)|+ => self.$field = map.next_value()?,)*
                    _ => return ignore(map),
                }
                Ok(())
            }
        }
    };
}

/// No column that is read has a longer name.
const COLUMN_BYTES_MAX: usize = 48;

columns! {
    account: Loose<'a> = "ACCOUNT_NAME" | "ACCOUNT_LOCATOR",
    view: Loose<'a> = "SOURCE_TABLE",
    // QUERY_HISTORY, ACCESS_HISTORY.
    query: Loose<'a> = "QUERY_ID",
    text: Loose<'a> = "QUERY_TEXT",
    kind: Loose<'a> = "QUERY_TYPE",
    database: Loose<'a> = "DATABASE_NAME",
    schema: Loose<'a> = "SCHEMA_NAME",
    session: Loose<'a> = "SESSION_ID",
    user: Loose<'a> = "USER_NAME",
    user_type: Loose<'a> = "USER_TYPE",
    role: Loose<'a> = "ROLE_NAME",
    warehouse: Loose<'a> = "WAREHOUSE_NAME",
    status: Loose<'a> = "EXECUTION_STATUS",
    error_code: Loose<'a> = "ERROR_CODE",
    error_message: Loose<'a> = "ERROR_MESSAGE",
    start: Loose<'a> = "START_TIME" | "QUERY_START_TIME",
    end: Loose<'a> = "END_TIME",
    rows_produced: Loose<'a> = "ROWS_PRODUCED",
    rows_unloaded: Loose<'a> = "ROWS_UNLOADED",
    rows_inserted: Loose<'a> = "ROWS_INSERTED",
    bytes_to_result: Loose<'a> = "BYTES_WRITTEN_TO_RESULT",
    bytes_written: Loose<'a> = "BYTES_WRITTEN",
    bytes_out: Loose<'a> = "OUTBOUND_DATA_TRANSFER_BYTES",
    base_objects: Unread<'a> = "BASE_OBJECTS_ACCESSED",
    direct_objects: Unread<'a> = "DIRECT_OBJECTS_ACCESSED",
    modified_objects: Unread<'a> = "OBJECTS_MODIFIED",
    // LOGIN_HISTORY.
    event: Loose<'a> = "EVENT_ID",
    event_time: Loose<'a> = "EVENT_TIMESTAMP",
    event_type: Loose<'a> = "EVENT_TYPE",
    client_ip: Loose<'a> = "CLIENT_IP",
    client_type: Loose<'a> = "REPORTED_CLIENT_TYPE",
    client_version: Loose<'a> = "REPORTED_CLIENT_VERSION",
    first_factor: Loose<'a> = "FIRST_AUTHENTICATION_FACTOR",
    second_factor: Loose<'a> = "SECOND_AUTHENTICATION_FACTOR",
    is_success: Loose<'a> = "IS_SUCCESS",
    // GRANTS_TO_ROLES, GRANTS_TO_USERS.
    created: Loose<'a> = "CREATED_ON",
    deleted: Loose<'a> = "DELETED_ON",
    privilege: Loose<'a> = "PRIVILEGE",
    granted_on: Loose<'a> = "GRANTED_ON",
    granted_name: Loose<'a> = "NAME",
    granted_catalog: Loose<'a> = "TABLE_CATALOG",
    granted_schema: Loose<'a> = "TABLE_SCHEMA",
    granted_role: Loose<'a> = "ROLE",
    granted_to: Loose<'a> = "GRANTED_TO",
    grantee: Loose<'a> = "GRANTEE_NAME",
    granted_by: Loose<'a> = "GRANTED_BY",
    // DATA_TRANSFER_HISTORY.
    source_cloud: Loose<'a> = "SOURCE_CLOUD",
    source_region: Loose<'a> = "SOURCE_REGION",
    target_cloud: Loose<'a> = "TARGET_CLOUD",
    target_region: Loose<'a> = "TARGET_REGION",
    bytes_transferred: Loose<'a> = "BYTES_TRANSFERRED",
    transfer_type: Loose<'a> = "TRANSFER_TYPE",
}

/// The name of a column in upper case, without the type that Log Analytics appends: `_s`, `_d`, `_t`, `_b`, `_g`.
fn column<'b>(name: &str, buffer: &'b mut [u8; COLUMN_BYTES_MAX]) -> &'b str {
    let bytes = match name.as_bytes() {
        [start @ .., b'_', b's' | b'd' | b't' | b'b' | b'g'] => start,
        bytes => bytes,
    };
    let Some(upper) = buffer.get_mut(..bytes.len()) else { return "" };
    upper.copy_from_slice(bytes);
    upper.make_ascii_uppercase();
    std::str::from_utf8(upper).unwrap_or_default()
}
