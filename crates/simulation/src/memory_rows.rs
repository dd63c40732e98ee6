//! Rows as the memory archive keeps them: owned, so that what is read back is what was written.

use dataward_event::audit_event::AuditEvent;
use dataward_event::position::Position;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::KafkaTime;
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{EventRow, ExposureRow, GapRow, OperatorRow, QuarantineRow, Rows};

/// One row.
#[derive(Debug, Clone)]
pub enum MemoryRow {
    /// An event.
    Event {
        /// Where it stands.
        position: Position,
        /// The transport's timestamp.
        kafka_time: Option<KafkaTime>,
        /// What happened.
        event: Box<AuditEvent<'static>>,
        /// The exact bytes.
        raw: Option<Vec<u8>>,
        /// Marked as delivered twice.
        producer_duplicate: bool,
    },
    /// What could not be read.
    Quarantine {
        /// Where it stands.
        position: Position,
        /// Why.
        reason: QuarantineReason,
        /// The bytes.
        raw: Vec<u8>,
    },
    /// Offsets without rows.
    Gap(GapRow),
    /// An alert.
    Alert(Box<Alert>),
    /// A statement about a window.
    Exposure(Box<ExposureRow>),
    /// A deed of an operator.
    Operator(OperatorRow),
}

impl MemoryRow {
    /// Where an event or a reject stands.
    pub fn position(&self) -> Option<&Position> {
        match self {
            Self::Event { position, .. } | Self::Quarantine { position, .. } => Some(position),
            Self::Gap(_) | Self::Alert(_) | Self::Exposure(_) | Self::Operator(_) => None,
        }
    }
}

/// Rows that are not committed yet.
#[derive(Debug, Clone, Default)]
pub struct MemoryRows {
    /// The rows in order.
    pub rows: Vec<MemoryRow>,
    bytes: usize,
}

impl MemoryRows {
    fn push(&mut self, row: MemoryRow, bytes: usize) {
        self.bytes += bytes + size_of::<MemoryRow>();
        self.rows.push(row);
    }
}

impl Rows for MemoryRows {
    fn event(&mut self, row: &EventRow<'_>) {
        let raw = row.raw.map(<[u8]>::to_vec);
        let bytes = raw.as_ref().map_or(0, Vec::len);
        let event = MemoryRow::Event {
            position: row.origin.position.clone(),
            kafka_time: row.origin.kafka_time,
            event: Box::new(row.event.clone().into_owned()),
            raw,
            producer_duplicate: row.producer_duplicate,
        };
        self.push(event, bytes);
    }

    fn quarantine(&mut self, row: &QuarantineRow<'_>) {
        let quarantine = MemoryRow::Quarantine {
            position: row.origin.position.clone(),
            reason: row.reason,
            raw: row.raw.to_vec(),
        };
        self.push(quarantine, row.raw.len());
    }

    fn gap(&mut self, row: &GapRow) {
        self.push(MemoryRow::Gap(row.clone()), 0);
    }

    fn alert(&mut self, alert: &Alert) {
        self.push(MemoryRow::Alert(Box::new(alert.clone())), alert.json.len());
    }

    fn exposure(&mut self, row: &ExposureRow) {
        self.push(MemoryRow::Exposure(Box::new(row.clone())), size_of::<ExposureRow>());
    }

    fn operator(&mut self, row: &OperatorRow) {
        self.push(MemoryRow::Operator(row.clone()), row.detail.len());
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
