//! Delta's log checkpoints: Parquet files that fold the log up to a version.

use std::collections::{BTreeMap, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, MapArray, RecordBatch, StructArray};
use bytes::Bytes;
use dataward_pipeline::archive::ArchiveError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::commit_log::{LiveFile, decoded};
use crate::table::ARCHIVE_ID;

/// The app ids of a log checkpoint.
pub(crate) fn transactions(bytes: Bytes) -> Result<BTreeMap<String, i64>, ArchiveError> {
    let mut found = BTreeMap::new();
    each_struct(bytes, "txn", &mut |actions| {
        let (ids, versions) = (field(actions, "appId")?, field(actions, "version")?);
        let versions =
            versions.as_primitive_opt::<Int64Type>().ok_or_else(|| foreign("txn.version"))?;
        for row in 0..actions.len() {
            if let Some(id) = text(ids, row).filter(|_| actions.is_valid(row)) {
                found.insert(id.to_owned(), versions.value(row));
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// The id of the archive, from the properties in a log checkpoint.
pub(crate) fn archive_id(bytes: Bytes) -> Result<Option<String>, ArchiveError> {
    let mut found = None;
    each_struct(bytes, "metaData", &mut |actions| {
        let properties = actions.column_by_name("configuration").and_then(|c| c.as_map_opt());
        for row in (0..actions.len()).filter(|row| actions.is_valid(*row)) {
            found = entries(properties, row).remove(ARCHIVE_ID).flatten().or(found.take());
        }
        Ok(())
    })?;
    Ok(found)
}

/// The live files of a log checkpoint.
pub(crate) fn files(bytes: Bytes) -> Result<Vec<LiveFile>, ArchiveError> {
    let mut found = Vec::new();
    each_struct(bytes, "add", &mut |actions| {
        let (paths, sizes) = (field(actions, "path")?, field(actions, "size")?);
        let sizes = sizes.as_primitive_opt::<Int64Type>().ok_or_else(|| foreign("add.size"))?;
        let statistics = actions.column_by_name("stats");
        let partitions = actions.column_by_name("partitionValues").and_then(|c| c.as_map_opt());
        let tags = actions.column_by_name("tags").and_then(|c| c.as_map_opt());
        for row in 0..actions.len() {
            let Some(path) = text(paths, row).filter(|_| actions.is_valid(row)) else { continue };
            let values = entries(partitions, row);
            found.push(LiveFile {
                path: decoded(path),
                kind: values.get("kind").cloned().flatten(),
                ingest_date: values.get("ingest_date").cloned().flatten(),
                size: u64::try_from(sizes.value(row)).unwrap_or(0),
                statistics: statistics.and_then(|c| text(c, row)).map(str::to_owned),
                tags: entries(tags, row),
            });
        }
        Ok(())
    })?;
    Ok(found)
}

fn each_struct(
    bytes: Bytes,
    column: &str,
    each: &mut dyn FnMut(&StructArray) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        ArchiveError::Broken(format!("a log checkpoint cannot be read: {error}"))
    };
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| unreadable(&error))?;
    let fields = builder.schema().fields();
    let Some(place) = fields.iter().position(|field| field.name() == column) else {
        return Ok(());
    };
    let mask = ProjectionMask::roots(builder.parquet_schema(), [place]);
    let reader = builder.with_projection(mask).build().map_err(|error| unreadable(&error))?;
    for batch in reader {
        let batch: RecordBatch = batch.map_err(|error| unreadable(&error))?;
        let actions = batch.column(0).as_struct_opt().ok_or_else(|| foreign(column))?;
        each(actions)?;
    }
    Ok(())
}

fn field<'a>(actions: &'a StructArray, name: &str) -> Result<&'a dyn Array, ArchiveError> {
    actions.column_by_name(name).map(AsRef::as_ref).ok_or_else(|| foreign(name))
}

fn foreign(name: &str) -> ArchiveError {
    ArchiveError::Broken(format!("a log checkpoint has an unknown form: {name}"))
}

fn entries(map: Option<&MapArray>, row: usize) -> HashMap<String, Option<String>> {
    let Some(map) = map.filter(|map| map.is_valid(row)) else { return HashMap::new() };
    let pairs = map.value(row);
    let (keys, values) = (pairs.column(0), pairs.column(1));
    (0..pairs.len())
        .filter_map(|place| {
            Some((text(keys, place)?.to_owned(), text(values, place).map(str::to_owned)))
        })
        .collect()
}

/// A text, in whichever of Arrow's forms the writer chose.
fn text(array: &dyn Array, row: usize) -> Option<&str> {
    if array.is_null(row) {
        return None;
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return Some(texts.value(row));
    }
    if let Some(texts) = array.as_string_opt::<i64>() {
        return Some(texts.value(row));
    }
    array.as_string_view_opt().map(|texts| texts.value(row))
}
