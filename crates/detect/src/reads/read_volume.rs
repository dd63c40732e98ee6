//! What one event counts as a read of data.

use dataward_event::audit_event::{AuditEvent, Class, EventKind, Outcome};

use crate::reads::metric::{METRICS, Metric};

/// The volume of one read: for each metric what the source tells, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadVolume {
    counts: [Option<u64>; METRICS],
    /// The objects are the event itself: its source reports no volume and names nothing.
    counts_events: bool,
}

/// OCSF activities that hand out data: 6005 *Read* and *Query*, 6003 *Read*.
const DATASTORE_READS: [u16; 2] = [1, 4];
const API_READ: u16 = 2;

/// What begins the names of operations that tell of data and hand out none: the names in a bucket, the length of an
/// object, the settings of a secret.
const METADATA_VERBS: [&str; 3] = ["Head", "List", "Describe"];

impl ReadVolume {
    /// The volume of an event; `None` if it is no read of data, failed, or is known to have read nothing.
    ///
    /// | the source reports | counts |
    /// |---|---|
    /// | rows, bytes or objects | what it reports, nothing else |
    /// | none of them, but names objects | that many objects |
    /// | neither | one event, in the place of the objects |
    ///
    /// A call of a general API counts only if it reports a volume or names objects: most of those only look at
    /// settings.
    pub fn of(event: &AuditEvent<'_>) -> Option<Self> {
        let volume = &event.volume;
        let rows = volume.rows.map(|rows| rows.0);
        let bytes = volume.bytes.map(|bytes| bytes.0);
        let reported = volume.objects.map(|objects| objects.0);
        let is_silent = rows.is_none() && bytes.is_none() && reported.is_none();
        let is_read = match event.class {
            Class::DatastoreActivity => DATASTORE_READS.contains(&event.activity_id),
            Class::ApiActivity => {
                event.activity_id == API_READ && !(is_silent && event.objects.is_empty())
            }
            _ => false,
        };
        let is_metadata = METADATA_VERBS.iter().any(|verb| event.operation.starts_with(verb));
        if event.kind != EventKind::Access
            || event.outcome == Outcome::Failure
            || !is_read
            || is_metadata
        {
            return None;
        }
        let objects = reported.or_else(|| is_silent.then(|| event.objects.len().max(1) as u64));
        let counts = [rows, bytes, objects];
        let has_read = counts.iter().flatten().any(|count| *count > 0);
        let counts_events = is_silent && event.objects.is_empty();
        has_read.then_some(Self { counts, counts_events })
    }

    /// The count of a metric; `None` where the source does not tell.
    pub fn count(&self, metric: Metric) -> Option<u64> {
        self.counts[metric.index()]
    }

    /// How much it is in one number, whatever the source reports: rows or KiB, the larger of them; else objects, else events.
    pub fn amount(&self) -> f64 {
        let [rows, bytes, objects] = self.counts;
        if rows.is_none() && bytes.is_none() {
            return objects.unwrap_or(0) as f64;
        }
        (rows.unwrap_or(0) as f64).max(bytes.unwrap_or(0) as f64 / 1024.0)
    }

    /// What the number counts.
    pub fn metric(&self) -> Metric {
        let [rows, bytes, _] = self.counts;
        match (rows, bytes) {
            (None, None) => Metric::Objects,
            (Some(rows), bytes) if rows as f64 >= bytes.unwrap_or(0) as f64 / 1024.0 => {
                Metric::Rows
            }
            _ => Metric::Bytes,
        }
    }

    /// The unit of a metric in alerts.
    pub fn unit(&self, metric: Metric) -> &'static str {
        match metric {
            Metric::Objects if self.counts_events => "events",
            _ => metric.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use dataward_event::position::{Offset, Partition, Position};
    use dataward_sources::decode::Record;
    use dataward_sources::source::{Source, decode};

    use super::*;

    fn counts(operation: &str, additional: &str, request: &str, rest: &str) -> [Option<u64>; 3] {
        let text = format!(
            r#"{{"eventVersion":"1.08","eventID":"1","eventTime":"2026-03-02T10:00:00Z",
                "eventSource":"s3.amazonaws.com","eventName":"{operation}","readOnly":true,
                "requestParameters":{{"bucketName":"orders"{request}}},
                "additionalEventData":{{{additional}}}{rest}}}"#
        );
        let position =
            Position { partition: Partition::new("t", 0), offset: Offset(0), record_index: 0 };
        let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
        let decoded = decode(Source::AwsCloudtrail, record);
        let volume = ReadVolume::of(&decoded.events[0].event);
        volume.map(|volume| volume.counts).unwrap_or_default()
    }

    #[test]
    fn what_hands_out_data_counts_and_what_tells_of_it_does_not() {
        let bytes = r#""bytesTransferredOut":2048"#;
        let key = r#","key":"a""#;
        assert_eq!(counts("GetObject", bytes, key, ""), [None, Some(2048), Some(1)]);
        assert_eq!(counts("GetObject", "", key, ""), [None, None, Some(1)], "unknown is not zero");
        assert_eq!(counts("HeadObject", "", key, ""), [None; 3]);
        assert_eq!(counts("ListObjects", bytes, "", ""), [None; 3]);
        assert_eq!(counts("PutObject", "", key, ""), [None; 3]);
        assert_eq!(counts("GetBucketPolicy", "", "", ""), [None; 3]);
        let failed = r#","errorCode":"AccessDenied""#;
        assert_eq!(counts("GetObject", bytes, key, failed), [None; 3]);
    }
}
