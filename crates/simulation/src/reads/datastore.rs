//! Where the data is: databases, buckets and search clusters, each with what its log reports of a read.

use dataward_event::audit_event::{DatastoreForm, Sensitivity};

use crate::reads::dice::Dice;

/// What a log reports of the volume of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporting {
    /// A database: rows, and the tables by name.
    Rows,
    /// A warehouse: rows and bytes, and the tables by name.
    RowsAndBytes,
    /// A bucket: bytes of the one object that is named.
    Bytes,
    /// Only how many objects came back.
    Objects,
    /// A search cluster: nothing but the index by name.
    Events,
}

/// One datastore.
#[derive(Debug, Clone)]
pub struct SimDatastore {
    /// Its identity.
    pub uid: String,
    /// What people call it.
    pub name: String,
    /// Its form of storage.
    pub form: DatastoreForm,
    /// What its log reports.
    pub reporting: Reporting,
    /// How sensitive its data is, where the log says so.
    pub sensitivity: Option<Sensitivity>,
    /// How many tables or indices it has. Of a bucket's keys nobody knows the end.
    pub objects: u32,
}

impl SimDatastore {
    /// One of the company's datastores.
    pub(crate) fn new(number: usize, dice: &mut Dice) -> Self {
        let reporting = match dice.below(20) {
            0..7 => Reporting::Rows,
            7..9 => Reporting::RowsAndBytes,
            9..16 => Reporting::Bytes,
            16..17 => Reporting::Objects,
            _ => Reporting::Events,
        };
        let sensitivity = match dice.below(20) {
            0 => Some(Sensitivity::Public),
            1..5 => Some(Sensitivity::Internal),
            5..8 => Some(Sensitivity::Confidential),
            8..10 => Some(Sensitivity::Restricted),
            _ => None,
        };
        Self::of(number, reporting, sensitivity, dice.magnitude(8.0, 400.0) as u32)
    }

    /// A datastore that looks like another one: a copy, or what a new feature keeps.
    pub(crate) fn like(&self, number: usize) -> Self {
        Self::of(number, self.reporting, self.sensitivity, self.objects)
    }

    fn of(
        number: usize,
        reporting: Reporting,
        sensitivity: Option<Sensitivity>,
        objects: u32,
    ) -> Self {
        let (form, prefix, kind) = match reporting {
            Reporting::Rows => (DatastoreForm::Database, "postgres.internal/", "sql"),
            Reporting::RowsAndBytes => (DatastoreForm::Database, "snowflake/", "warehouse"),
            Reporting::Bytes => (DatastoreForm::Bucket, "arn:aws:s3:::", "bucket"),
            Reporting::Objects => (DatastoreForm::Other, "store.internal/", "documents"),
            Reporting::Events => (DatastoreForm::Database, "elastic.internal/", "search"),
        };
        let name = format!("{kind}-{number:03}");
        Self { uid: format!("{prefix}{name}"), name, form, reporting, sensitivity, objects }
    }

    /// The name of the source that tells of it.
    pub(crate) const fn source(&self) -> &'static str {
        match self.reporting {
            Reporting::Rows => "postgres.audit",
            Reporting::RowsAndBytes => "snowflake.account_usage",
            Reporting::Bytes => "aws.cloudtrail",
            Reporting::Objects => "ocsf",
            Reporting::Events => "elastic.audit",
        }
    }
}
