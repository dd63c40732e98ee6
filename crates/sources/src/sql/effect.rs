//! What a statement does to protection, in no product's words.

/// One thing that a statement does to protection, as its words state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Privileges or roles were given.
    Grant(Grant),
    /// Privileges or roles were taken.
    Revoke(Grant),
    /// An account was made, changed or removed; MySQL's are `user@host`.
    Role { action: Action, name: String, options: RoleOptions },
    /// An account goes by another name from now on.
    RenamedRole { from: String, to: String },
    /// Row level security of a table was switched; `None` is what the statement does not say.
    RowSecurity { table: String, enabled: Option<bool>, forced: Option<bool> },
    /// A policy was made, changed, removed, attached or detached.
    Policy(Policy),
    /// A setting was set; `value` is `None` where it went back to its default.
    Setting { scope: Scope, name: String, value: Option<String> },
    /// An extension was created or dropped.
    Extension { action: Action, name: String },
    /// A plugin or component was loaded or unloaded.
    Plugin { name: String, is_installed: bool },
    /// A security label; without a label it was taken off.
    Label { provider: Option<String>, object: String, label: Option<String> },
    /// A publication of logical replication: tables that may be copied out.
    Publication { action: Action, name: String, all_tables: bool, tables: Vec<String> },
    /// A subscription of logical replication: where data comes from.
    Subscription { action: Action, name: String, connection: Option<String> },
    /// A share, a listing, a recipient.
    Share { action: Action, kind: &'static str, name: String, accounts: Vec<String> },
    /// An external stage.
    Stage { name: String, url: String, has_credentials: bool, integration: Option<String> },
    /// An integration with the outside, with the properties that the statement names.
    Integration {
        action: Action,
        kind: String,
        name: String,
        properties: Vec<(String, Vec<String>)>,
    },
    /// Replication of an object to other accounts.
    Replication { object: String, accounts: Vec<String>, is_enabled: bool },
    /// Encryption of a table, schema or tablespace.
    Encryption(Encryption),
    /// `ALTER INSTANCE`: its words.
    Instance { operation: String },
    /// A function that reaches protection or leaves the database; arguments that are no literals are `None`.
    Call { function: String, arguments: Vec<Option<String>> },
    /// The session acts as somebody else from now on; `None` is itself again.
    ActAs { who: Option<String> },
}

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Alter,
    Drop,
    Attach,
    Detach,
}

/// `GRANT` or `REVOKE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Privileges in upper case, or, without an object, the roles as written.
    pub(crate) privileges: Vec<String>,
    /// `TABLE`, `ALL TABLES IN SCHEMA`, `ROLE`, …, where the statement says it.
    pub(crate) object_type: Option<String>,
    /// What they are on; empty for roles.
    pub(crate) objects: Vec<String>,
    /// Who gets or loses them.
    pub(crate) grantees: Vec<Grantee>,
    /// They may be passed on.
    pub(crate) with_grant_option: bool,
}

/// Who a grant is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grantee {
    /// `ROLE`, `USER`, `SHARE`, `RECIPIENT`, …, where the statement says it.
    pub(crate) kind: Option<String>,
    /// The name, unquoted; `user@host` for MySQL.
    pub(crate) name: String,
}

impl Grantee {
    /// Everybody.
    pub(crate) fn is_public(&self) -> bool {
        self.name.eq_ignore_ascii_case("public")
    }
}

/// What a statement says of an account; `None` is what it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RoleOptions {
    pub(crate) superuser: Option<bool>,
    pub(crate) bypass_row_security: Option<bool>,
    pub(crate) replication: Option<bool>,
    pub(crate) create_role: Option<bool>,
    pub(crate) login: Option<bool>,
    pub(crate) password: Option<Password>,
    /// MySQL's `IDENTIFIED WITH`.
    pub(crate) plugin: Option<String>,
    /// MySQL's `REQUIRE`: false for `NONE`.
    pub(crate) requires_tls: Option<bool>,
    /// MySQL's `ACCOUNT LOCK`.
    pub(crate) is_locked: Option<bool>,
    /// MySQL's `PASSWORD EXPIRE NEVER`: false for every other `PASSWORD EXPIRE`.
    pub(crate) never_expires: Option<bool>,
}

/// A password, never its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Password {
    Set,
    Empty,
    /// `PASSWORD NULL`: none can be right.
    Null,
}

/// A policy on rows, columns, networks or log-ons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) kind: PolicyKind,
    pub(crate) action: Action,
    /// Its name; `*` for all of them.
    pub(crate) name: String,
    /// The table, `table.column`, account or user that it protects, where the statement says it.
    pub(crate) object: Option<String>,
    /// Its condition or body, tokens joined by blanks: `true`.
    pub(crate) body: Option<String>,
    /// The command that a row policy is for: `ALL`, `SELECT`.
    pub(crate) command: Option<String>,
    /// The roles that a row policy is for; empty is everybody.
    pub(crate) roles: Vec<String>,
    /// Row policies that widen instead of narrow.
    pub(crate) is_permissive: bool,
    /// What it sets: `ALLOWED_IP_LIST` and its addresses. An unset property has no values.
    pub(crate) properties: Vec<(String, Vec<String>)>,
}

/// What a policy protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    /// PostgreSQL's row level security.
    RowSecurity,
    RowAccess,
    Masking,
    Aggregation,
    Projection,
    Network,
    Authentication,
    Password,
    Session,
}

/// Encryption at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encryption {
    pub(crate) object: String,
    pub(crate) is_encrypted: bool,
}

/// Whom a setting is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Written into the server's configuration: `ALTER SYSTEM`, `SET PERSIST`.
    System,
    /// The running server: `SET GLOBAL`.
    Global,
    /// The account of a cloud service.
    Account,
    /// A role or user.
    Role(String),
    Database(String),
    /// A table or schema.
    Object(String),
    Session,
    /// The session until its transaction ends: `SET LOCAL`.
    Transaction,
}
