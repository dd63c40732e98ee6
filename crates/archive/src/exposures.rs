//! The windows of an archive, each as its newest statement says.

use std::collections::BTreeMap;

use dataward_event::finding::CloseReason;
use dataward_pipeline::archive::{ArchiveError, ExposureRow};

use crate::data_reader::{DataReader, Wanted, unreadable};
use crate::exposure_row;
use crate::row_kind::RowKind;

/// Whether windows that a late event has shown never to have been are wanted, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    /// Left out.
    Dropped,
    /// Given back, with [`CloseReason::Superseded`].
    Kept,
}

/// The windows in the order in which they were opened.
pub(crate) async fn exposures(
    reader: &DataReader,
    withdrawn: Withdrawn,
) -> Result<Vec<ExposureRow>, ArchiveError> {
    let mut newest: BTreeMap<String, ExposureRow> = BTreeMap::new();
    for (_, file) in reader.files(&|kind| kind == RowKind::Exposure, None).await? {
        reader
            .read(&file, Wanted::Facts, &mut |rows| {
                for row in 0..rows.rows() {
                    let statement = exposure_row::read(rows, row)
                        .map_err(|error| unreadable(&file.path, error))?;
                    let uid = &statement.exposure.uid;
                    if newest.get(uid).is_none_or(|known| known.number < statement.number) {
                        newest.insert(uid.clone(), statement);
                    }
                }
                Ok(())
            })
            .await?;
    }
    let is_wanted = |row: &ExposureRow| {
        withdrawn == Withdrawn::Kept || row.exposure.close_reason != Some(CloseReason::Superseded)
    };
    let mut exposures: Vec<ExposureRow> = newest.into_values().filter(is_wanted).collect();
    // Stable: windows of one event stay in the order of their uids.
    exposures.sort_by_key(|row| row.exposure.opened_by.time);
    Ok(exposures)
}
