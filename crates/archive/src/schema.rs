//! The schema of the table, as Arrow, as Delta, and as the published listing.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use deltalake_core::kernel::{
    ArrayType, DataType as DeltaType, PrimitiveType, StructField, StructType,
};

use crate::column::{
    COLUMNS, COLUMNS_OF_VERSION_1, COLUMNS_OF_VERSION_2, Column, ColumnType, Listed, columns_of,
};
use crate::row_kind::RowKind;

/// The listing of the table's columns that is published for its readers, as JSON.
pub const TABLE: &str = include_str!("../../../schemas/table/v3.json");

/// The version of the table's schema.
pub const VERSION: u32 = 3;

/// The columns that partition the table; they stand in the paths, not in the files.
pub const PARTITION_COLUMNS: [&str; 2] = ["kind", "ingest_date"];

/// The columns whose smallest and largest values stand in the log for every file.
pub(crate) const STATISTICS_COLUMNS: [Column; 21] = [
    Column::Source,
    Column::Topic,
    Column::Incarnation,
    Column::KafkaPartition,
    Column::KafkaOffset,
    Column::RecordIndex,
    Column::EventUid,
    Column::EventTime,
    Column::KafkaTime,
    Column::IngestTime,
    Column::ClassUid,
    Column::ActorUid,
    Column::DatastoreUid,
    Column::GapFrom,
    Column::GapTo,
    Column::AlertUid,
    Column::FindingUid,
    Column::RuleId,
    Column::SeverityId,
    Column::AlertOwner,
    Column::AlertNumber,
];

/// The fields of one change of protection; `true` marks the flag among the texts.
pub(crate) const CHANGE_FIELDS: [(&str, bool); 8] = [
    ("catalogue_row", false),
    ("control", false),
    ("setting", false),
    ("opened", false),
    ("before", false),
    ("after", false),
    ("direction", false),
    ("whole", true),
];

/// The name of the elements of lists: what Spark and Delta write.
const ELEMENT: &str = "element";

static ARROW: LazyLock<BTreeMap<RowKind, SchemaRef>> = LazyLock::new(|| {
    RowKind::ALL.into_iter().map(|kind| (kind, Arc::new(arrow_schema(columns_of(kind))))).collect()
});

/// All columns that a file of rows can have, as Arrow. Those that a file does not have read as null; the partition
/// columns stand in the log.
pub fn columns() -> SchemaRef {
    arrow(RowKind::Exposure)
}

/// The Arrow schema of the files of a kind; the partition columns stand in their paths.
pub(crate) fn arrow(kind: RowKind) -> SchemaRef {
    Arc::clone(&ARROW[&kind])
}

fn arrow_schema(columns: &[Listed]) -> Schema {
    let fields = columns.iter().map(|(_, name, kind)| Field::new(*name, arrow_type(*kind), true));
    Schema::new(fields.collect::<Vec<_>>())
}

/// The Arrow fields of one change of protection.
pub(crate) fn change_fields() -> Fields {
    CHANGE_FIELDS
        .iter()
        .map(|(name, flag)| {
            let kind = if *flag { DataType::Boolean } else { DataType::Utf8 };
            Field::new(*name, kind, true)
        })
        .collect()
}

/// The Arrow field of the elements of a list column.
pub(crate) fn element_field(kind: DataType) -> Field {
    Field::new(ELEMENT, kind, true)
}

fn arrow_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Bytes => DataType::Binary,
        ColumnType::Long => DataType::Int64,
        ColumnType::Int => DataType::Int32,
        ColumnType::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnType::Flag => DataType::Boolean,
        ColumnType::Texts => DataType::List(Arc::new(element_field(DataType::Utf8))),
        ColumnType::Changes => {
            DataType::List(Arc::new(element_field(DataType::Struct(change_fields()))))
        }
    }
}

/// The columns that a version of the table has, partition columns first; `None`: it is none that we know.
pub(crate) fn delta(version: u32) -> Option<Vec<StructField>> {
    let columns = match version {
        1 => &COLUMNS[..COLUMNS_OF_VERSION_1],
        2 => &COLUMNS[..COLUMNS_OF_VERSION_2],
        VERSION => &COLUMNS,
        _ => return None,
    };
    let mut fields = vec![
        StructField::nullable(PARTITION_COLUMNS[0], DeltaType::STRING),
        StructField::nullable(PARTITION_COLUMNS[1], DeltaType::DATE),
    ];
    fields.extend(
        columns.iter().map(|(_, name, kind)| StructField::nullable(*name, delta_type(*kind))),
    );
    Some(fields)
}

fn delta_type(kind: ColumnType) -> DeltaType {
    match kind {
        ColumnType::Text => DeltaType::STRING,
        ColumnType::Bytes => DeltaType::BINARY,
        ColumnType::Long => DeltaType::LONG,
        ColumnType::Int => DeltaType::INTEGER,
        ColumnType::Time => DeltaType::Primitive(PrimitiveType::Timestamp),
        ColumnType::Flag => DeltaType::BOOLEAN,
        ColumnType::Texts => ArrayType::new(DeltaType::STRING, true).into(),
        ColumnType::Changes => {
            let fields = CHANGE_FIELDS.iter().map(|(name, flag)| {
                let kind = if *flag { DeltaType::BOOLEAN } else { DeltaType::STRING };
                StructField::nullable(*name, kind)
            });
            let change = StructType::new_unchecked(fields);
            ArrayType::new(DeltaType::Struct(Box::new(change)), true).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_in_listing(kind: &DataType) -> String {
        match kind {
            DataType::Utf8 => "string".into(),
            DataType::Binary => "binary".into(),
            DataType::Int64 => "long".into(),
            DataType::Int32 => "integer".into(),
            DataType::Boolean => "boolean".into(),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp".into(),
            DataType::List(element) => format!("array<{}>", name_in_listing(element.data_type())),
            DataType::Struct(fields) => {
                let parts: Vec<_> = fields
                    .iter()
                    .map(|field| format!("{}:{}", field.name(), name_in_listing(field.data_type())))
                    .collect();
                format!("struct<{}>", parts.join(","))
            }
            other => panic!("a type that no reader was promised: {other}"),
        }
    }

    #[test]
    fn the_listing_is_the_schema() {
        let listing: serde_json::Value = serde_json::from_str(TABLE).unwrap();
        assert_eq!(listing["version"], VERSION);
        let listed: Vec<_> = listing["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| {
                assert!(!column["meaning"].as_str().unwrap().is_empty());
                let text = |key: &str| column[key].as_str().unwrap().to_owned();
                (text("name"), text("type"), column["nullable"].as_bool().unwrap())
            })
            .collect();
        let built: Vec<_> = arrow_schema(&COLUMNS)
            .fields()
            .iter()
            .map(|f| (f.name().clone(), name_in_listing(f.data_type()), f.is_nullable()))
            .collect();
        assert_eq!(listed, built);
        let partitions: Vec<_> = listing["partition_columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(partitions, PARTITION_COLUMNS);
    }
}
