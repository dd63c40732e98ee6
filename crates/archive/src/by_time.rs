//! The events of the whole archive, the oldest first as far as files go.

use dataward_event::time::EventTime;
use dataward_pipeline::archive::{ArchiveError, ArchivedEvent};

use crate::column::Column;
use crate::data_reader::{DataReader, Wanted, bounds, unreadable};
use crate::row_kind::RowKind;

/// What comes next of an archive that is read by time.
#[derive(Debug)]
pub enum ByTime {
    /// No event before this time comes any more.
    From(EventTime),
    /// An event. Those between two [`From`](Self::From) come in no particular order.
    Event(Box<ArchivedEvent>),
}

/// Delivers the events of all partitions, file by file: each file is read once, whatever the times of the others.
pub(crate) async fn events_by_time(
    reader: &DataReader,
    each: &mut dyn FnMut(ByTime),
) -> Result<(), ArchiveError> {
    let is_of_events = |kind: RowKind| kind.event_kind().is_some();
    let mut files = Vec::new();
    for (kind, file) in reader.files(&is_of_events, None).await? {
        let (oldest, _) = bounds(&file, Column::EventTime);
        let oldest = oldest.as_ref().and_then(|time| EventTime::parse_rfc3339(time.as_str()?));
        files.push((oldest.unwrap_or(EventTime::MIN), kind, file));
    }
    files.sort_by(|(one, _, a), (other, _, b)| (one, &a.path).cmp(&(other, &b.path)));
    for (oldest, kind, file) in files {
        each(ByTime::From(oldest));
        let Some(kind) = kind.event_kind() else { continue };
        let mut take = |rows: &crate::row_view::RowView| {
            for row in 0..rows.rows() {
                let event = rows.archived_event(kind, row);
                let event = event.map_err(|error| unreadable(&file.path, error))?;
                each(ByTime::Event(Box::new(event)));
            }
            Ok(())
        };
        reader.read(&file, Wanted::Facts, &mut take).await?;
    }
    Ok(())
}
