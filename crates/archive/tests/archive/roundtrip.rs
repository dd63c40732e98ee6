//! I10: event to row to event is equal.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dataward_archive::exposures::Withdrawn;
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, DatastoreForm, EventKind, Outcome,
    Sensitivity, Text, TimeOrigin,
};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::exposure::{Deed, Exposure, Known, Level, PartialSum, ReadFigures, Reader};
use dataward_event::finding::{CloseReason, Severity};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::{EventTime, IngestTime, KafkaTime};
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount, Volume};
use dataward_pipeline::archive::{
    Archive, Checkpoint, EnvelopeForm, EventRow, ExposureRow, Replayed, RowOrigin, Rows,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::*;

fn text() -> impl Strategy<Value = Text<'static>> {
    prop_oneof![Just(String::new()), "[a-z:/.*]{1,12}", "\\PC{0,90}"].prop_map(Cow::Owned)
}

fn maybe() -> impl Strategy<Value = Option<Text<'static>>> {
    prop::option::of(text())
}

/// Counts beyond what the table's numbers hold do not come back: sources clamp them.
fn count() -> impl Strategy<Value = Option<u64>> {
    prop::option::of(0..=i64::MAX as u64)
}

fn actor() -> impl Strategy<Value = Actor<'static>> {
    let uids = (maybe(), maybe(), maybe(), maybe());
    let rest = (maybe(), maybe(), maybe(), any::<Option<bool>>());
    let kind = select(ActorKind::ALL.as_slice());
    (uids, kind, rest, prop::collection::vec(text(), 0..3)).prop_map(
        |((uid, name, user_type, account_uid), kind, rest, groups)| {
            let (credential_uid, session_uid, issuer, mfa) = rest;
            Actor {
                uid,
                name,
                kind,
                user_type,
                account_uid,
                credential_uid,
                session_uid,
                issuer,
                mfa,
                groups,
            }
        },
    )
}

fn client() -> impl Strategy<Value = Client<'static>> {
    (maybe(), maybe(), any::<Option<u16>>(), maybe(), maybe()).prop_map(
        |(ip, domain, port, endpoint_uid, user_agent)| Client {
            ip,
            domain,
            port,
            endpoint_uid,
            user_agent,
        },
    )
}

fn datastore() -> impl Strategy<Value = Option<Datastore<'static>>> {
    let form = select(DatastoreForm::ALL.as_slice());
    let datastore = (text(), maybe(), maybe(), form)
        .prop_map(|(uid, name, resource_type, form)| Datastore { uid, name, resource_type, form });
    prop::option::of(datastore)
}

fn change() -> impl Strategy<Value = Change<'static>> {
    let control = select(Control::ALL.as_slice());
    let direction = select(
        [Direction::Weakened, Direction::Strengthened, Direction::Neutral, Direction::Unknown]
            .as_slice(),
    );
    ((text(), text(), text()), control, (maybe(), maybe()), direction, any::<bool>()).prop_map(
        |((catalogue_row, setting, opened), control, (before, after), direction, whole)| Change {
            catalogue_row,
            control,
            setting,
            opened,
            before,
            after,
            direction,
            whole,
        },
    )
}

fn audit_event() -> impl Strategy<Value = AuditEvent<'static>> {
    let head = (text(), any::<i64>(), text(), text(), any::<u16>());
    let named = (
        select(TimeOrigin::ALL.as_slice()),
        select(EventKind::ALL.as_slice()),
        select(Class::ALL.as_slice()),
        select(Outcome::ALL.as_slice()),
        prop::option::of(select(Sensitivity::ALL.as_slice())),
        prop::option::of(select(ReadScope::ALL.as_slice())),
    );
    let texts = prop::collection::vec(maybe(), 10);
    let lists = (prop::collection::vec(text(), 0..4), prop::collection::vec(change(), 0..3));
    let parts = (actor(), client(), datastore(), (count(), count(), count()));
    (head, named, texts, lists, parts).prop_map(|(head, named, mut texts, lists, parts)| {
        let (uid, micros, source, operation, activity_id) = head;
        let (time_origin, kind, class, outcome, sensitivity, scope) = named;
        let (objects, changes) = lists;
        let (actor, client, datastore, (rows, bytes, counted)) = parts;
        let mut next = || texts.pop().unwrap();
        AuditEvent {
            uid,
            time: EventTime::from_micros(micros),
            time_origin,
            source,
            kind,
            class,
            activity_id,
            operation,
            service: next(),
            event_code: next(),
            outcome,
            error_code: next(),
            error_message: next(),
            actor,
            client,
            datastore,
            objects,
            volume: Volume {
                rows: rows.map(RowCount),
                bytes: bytes.map(ByteCount),
                objects: counted.map(ObjectCount),
            },
            read_scope: scope,
            changes,
            request_uid: next(),
            correlation_uid: next(),
            statement: next(),
            account_uid: next(),
            region: next(),
            provider: next(),
            sensitivity,
        }
    })
}

/// An event, the transport's time, and whether it came before.
fn delivered() -> impl Strategy<Value = (AuditEvent<'static>, Option<i64>, bool)> {
    (audit_event(), any::<Option<i64>>(), any::<bool>())
}

fn plain() -> impl Strategy<Value = String> {
    text().prop_map(Cow::into_owned)
}

fn deed() -> impl Strategy<Value = Deed> {
    let place = (plain(), 0_u32..3, any::<i32>(), 0..i64::MAX, any::<u32>());
    let client = prop_oneof![
        Just(None),
        Just(Some("203.0.113.7".to_owned())),
        Just(Some("2001:db8::1".to_owned())),
        plain().prop_map(Some),
    ];
    (plain(), place, any::<i64>(), actor(), client, plain()).prop_map(
        |(
            event_uid,
            (topic, incarnation, number, offset, record_index),
            time,
            actor,
            client,
            operation,
        )| {
            Deed {
                event_uid,
                position: Position {
                    partition: Partition { topic: topic.into(), incarnation, number },
                    offset: Offset(offset),
                    record_index,
                },
                time: EventTime::from_micros(time),
                actor,
                client,
                operation,
            }
        },
    )
}

fn figures() -> impl Strategy<Value = ReadFigures> {
    let counts = prop::collection::vec(0..=i64::MAX as u64, 8);
    counts.prop_map(|counts| {
        let sum = |at: usize| PartialSum { at_least: counts[at], unreported: counts[at + 1] };
        ReadFigures {
            reads: counts[6],
            reads_at_edges: counts[7],
            rows: sum(0),
            bytes: sum(2),
            objects: sum(4),
        }
    })
}

fn reader() -> impl Strategy<Value = Reader> {
    (plain(), prop::option::of(plain()), plain(), any::<bool>(), figures()).prop_map(
        |(name, uid, network, is_outsider, figures)| Reader {
            name,
            uid,
            network,
            is_outsider,
            figures,
        },
    )
}

fn exposure() -> impl Strategy<Value = Exposure> {
    let named = (
        select(Control::ALL.as_slice()),
        select(Level::ALL.as_slice()),
        select(Known::ALL.as_slice()),
        prop::option::of(select(CloseReason::ALL.as_slice())),
        (1..=6).prop_map(Severity::clamped),
    );
    let texts = (plain(), plain(), plain());
    let deeds = (deed(), prop::option::of(deed()));
    let times = (any::<bool>(), any::<Option<i64>>());
    let read = (figures(), figures(), prop::collection::vec(reader(), 0..3));
    let datastore = datastore().prop_filter_map("a datastore", |datastore| datastore);
    (named, texts, deeds, times, read, datastore).prop_map(
        |(named, (uid, setting, opened), deeds, times, read, datastore)| {
            let (control, level, reachable, close_reason, severity) = named;
            Exposure {
                uid,
                datastore,
                control,
                setting,
                opened,
                window_kind: control.window_kind(),
                level,
                reachable,
                opened_by: deeds.0,
                opened_at_uncertain: times.0,
                exposed_at: times.1.map(EventTime::from_micros),
                closed_by: deeds.1,
                close_reason,
                severity,
                figures: read.0,
                outside_figures: read.1,
                readers: read.2,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_event_comes_back_as_it_was(
        events in prop::collection::vec(delivered(), 1..30),
        ingest in any::<i64>(),
    ) {
        let place = Place::new();
        let mut archive = place.open();
        claim(&mut archive, 0);
        let mut rows = archive.rows();
        for (offset, (event, kafka, producer_duplicate)) in (0..).zip(&events) {
            let position = position(0, offset, u32::try_from(offset % 3).unwrap());
            rows.event(&EventRow {
                origin: RowOrigin {
                    position: &position,
                    kafka_time: kafka.map(KafkaTime::from_micros),
                    ingest_time: IngestTime::from_micros(ingest.wrapping_add(offset << 40)),
                },
                event,
                raw: None,
                envelope: Some((EnvelopeForm::Whole, b"\0")),
                producer_duplicate: *producer_duplicate,
            });
        }
        let next = i64::try_from(events.len()).unwrap();
        archive.commit(Checkpoint { rows: vec![rows], ..checkpoint(&[(0, next)]) }).unwrap();
        let mut found = Vec::new();
        place.open().replay(&partition(0), Offset(0), &mut |replayed| match replayed {
            Replayed::Event(event) => found.push(*event),
            Replayed::Quarantine { position, .. } => panic!("{position}"),
        }).unwrap();
        prop_assert_eq!(found.len(), events.len());
        for (offset, (found, (event, kafka, producer_duplicate))) in
            (0..).zip(found.into_iter().zip(events))
        {
            prop_assert_eq!(found.position.offset, Offset(offset));
            prop_assert_eq!(found.kafka_time.map(KafkaTime::micros), kafka);
            prop_assert_eq!(found.producer_duplicate, producer_duplicate);
            prop_assert_eq!(found.event, event);
        }
    }

    #[test]
    fn a_window_comes_back_as_it_was(
        windows in prop::collection::vec((exposure(), any::<i64>()), 1..20),
    ) {
        let place = Place::new();
        let mut archive = place.open();
        claim(&mut archive, 0);
        let mut rows = archive.rows();
        let mut newest = BTreeMap::new();
        for (number, (exposure, logged)) in (0..).zip(windows) {
            let ingest_time = IngestTime::from_micros(logged);
            let row = ExposureRow { exposure, number, ingest_time };
            rows.exposure(&row);
            newest.insert(row.exposure.uid.clone(), row);
        }
        archive.commit(Checkpoint { rows: vec![rows], ..checkpoint(&[(0, 0)]) }).unwrap();
        let mut expected: Vec<ExposureRow> = newest.into_values().collect();
        expected.sort_by_key(|row| row.exposure.opened_by.time);
        prop_assert_eq!(place.open().exposures(Withdrawn::Kept).unwrap(), expected);
    }
}
