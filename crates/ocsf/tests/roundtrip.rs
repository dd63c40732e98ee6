//! What is written can be read back, validates against our schemas, and does not change unnoticed.

mod support;

use std::borrow::Cow;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, DatastoreForm, EventKind, Outcome,
    Sensitivity, TimeOrigin,
};
use dataward_event::change::{Change, Control, Direction, WindowKind};
use dataward_event::finding::{
    Anomaly, CloseReason, Evidence, Finding, Rating, RuleId, Severity, Step, Trigger,
};
use dataward_event::time::{EventTime, IngestTime};
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount, Volume};
use dataward_ocsf::event::event_json;
use dataward_ocsf::finding::{finding_json, statement_uid};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use support::{check, official, own, position, test_data};

type Text = Cow<'static, str>;

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-z:/\"\\\\ é\n]{1,12}",
        select(vec!["unknown", "true", "17", "null"]).prop_map(str::to_owned)
    ]
    .prop_map(Cow::Owned)
}

fn maybe() -> impl Strategy<Value = Option<Text>> {
    prop::option::of(text())
}

fn actor() -> impl Strategy<Value = Actor<'static>> {
    let names = (text(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe());
    let kind = select(ActorKind::ALL.to_vec());
    (names, kind, any::<Option<bool>>(), prop::collection::vec(text(), 0..3)).prop_map(
        |(
            (uid, name, user_type, account_uid, credential_uid, session_uid, issuer),
            kind,
            mfa,
            groups,
        )| {
            Actor {
                uid: Some(uid),
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

fn change() -> impl Strategy<Value = Change<'static>> {
    let directions =
        vec![Direction::Weakened, Direction::Strengthened, Direction::Neutral, Direction::Unknown];
    (
        select(Control::ALL.to_vec()),
        text(),
        maybe(),
        maybe(),
        maybe(),
        select(directions),
        any::<bool>(),
    )
        .prop_map(|(control, setting, opened, before, after, direction, whole)| Change {
            catalogue_row: Cow::Borrowed(if whole { "aws.row" } else { "" }),
            control,
            setting,
            opened: opened.unwrap_or_default(),
            before,
            after,
            direction,
            whole,
        })
}

fn client() -> impl Strategy<Value = Client<'static>> {
    let ip = prop_oneof![
        text(),
        Just(Cow::Borrowed("2001:db8::7")),
        Just(Cow::Borrowed("198.51.100.7"))
    ];
    (prop::option::of(ip), maybe(), any::<Option<u16>>(), maybe(), maybe()).prop_map(
        |(ip, domain, port, endpoint_uid, user_agent)| Client {
            ip,
            domain,
            port,
            endpoint_uid,
            user_agent,
        },
    )
}

fn datastore() -> impl Strategy<Value = Datastore<'static>> {
    (text(), maybe(), maybe(), select(DatastoreForm::ALL.to_vec()))
        .prop_map(|(uid, name, resource_type, form)| Datastore { uid, name, resource_type, form })
}

fn event() -> impl Strategy<Value = AuditEvent<'static>> {
    let head = (
        text(),
        0_i64..4_000_000_000_000_000,
        select(TimeOrigin::ALL.to_vec()),
        select(EventKind::ALL.to_vec()),
        select(Class::ALL.to_vec()),
        0_u16..100,
        text(),
        select(Outcome::ALL.to_vec()),
    );
    let texts = (maybe(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe());
    let parts = (
        actor(),
        client(),
        prop::option::of(datastore()),
        prop::collection::vec(text(), 0..3),
        prop::collection::vec(change(), 0..3),
        any::<(Option<u32>, Option<u64>, Option<u32>)>(),
        (
            prop::option::of(select(Sensitivity::ALL.to_vec())),
            prop::option::of(select(ReadScope::ALL.to_vec())),
        ),
    );
    (head, texts, parts).prop_map(|(head, texts, parts)| {
        let (uid, micros, time_origin, kind, class, activity_id, operation, outcome) = head;
        let (
            service,
            event_code,
            error_code,
            error_message,
            request,
            correlation,
            statement,
            account,
            region,
        ) = texts;
        let (actor, client, datastore, objects, changes, volume, marks) = parts;
        let (sensitivity, scope) = marks;
        AuditEvent {
            uid,
            time: EventTime::from_micros(micros),
            time_origin,
            source: Cow::Borrowed("aws.cloudtrail"),
            // An event that states changes is a config change, whatever it is called.
            kind: if changes.is_empty() { kind } else { EventKind::ConfigChange },
            class,
            activity_id,
            operation,
            service,
            event_code,
            outcome,
            error_code,
            error_message,
            actor,
            client,
            datastore,
            objects,
            volume: Volume {
                rows: volume.0.map(|n| RowCount(n.into())),
                bytes: volume.1.map(ByteCount),
                objects: volume.2.map(|n| ObjectCount(n.into())),
            },
            read_scope: scope,
            changes,
            request_uid: request.filter(|uid| uid != "unknown"),
            correlation_uid: correlation,
            statement,
            account_uid: account,
            region,
            provider: Some(Cow::Borrowed("AWS")),
            sensitivity,
        }
    })
}

fn read_back(line: &str) -> AuditEvent<'static> {
    let position = position();
    let record = Record { position: &position, kafka_time: None, payload: line.as_bytes() };
    let mut decoded = decode(Source::Ocsf, record);
    assert_eq!(decoded.events.len(), 1, "{:?}\n{line}", decoded.rejects);
    decoded.events.remove(0).event.into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_survives_the_way_out_and_back(event in event()) {
        let line = event_json(&event, Some(&position()), Some(&"ab".repeat(32)));
        prop_assert_eq!(&read_back(&line), &event);
        check(&own(dataward_ocsf::schema::EVENT), &line);
    }
}

#[test]
fn every_class_validates_officially() {
    let Some(data) = test_data("official OCSF schemas") else { return };
    let schemas = official(&data);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..300 {
        let event = event().new_tree(&mut runner).unwrap().current();
        let line = event_json(&event, Some(&position()), None);
        check(&schemas[&u64::from(event.class.uid())], &line);
    }
}

fn finding(step: Step) -> Finding {
    let change = Change {
        catalogue_row: Cow::Borrowed("aws.s3.bucket_policy.public"),
        control: Control::AccessPolicy,
        setting: Cow::Borrowed("bucket_policy"),
        opened: Cow::Borrowed("principal *"),
        before: None,
        after: Some(Cow::Borrowed("principal *")),
        direction: Direction::Weakened,
        whole: true,
    };
    let actor = Actor {
        uid: Some(Cow::Borrowed("arn:aws:iam::111122223333:user/ada")),
        name: Some(Cow::Borrowed("ada")),
        kind: ActorKind::Human,
        ..Actor::default()
    };
    let client = Client { ip: Some(Cow::Borrowed("198.51.100.7")), ..Client::default() };
    Finding {
        rule: RuleId::ControlWeakened,
        uid: "0f".repeat(16),
        step,
        severity: Severity::HIGH,
        severity_because: Vec::new(),
        approval: None,
        time: EventTime::from_millis(1_714_979_289_000),
        cause_uid: "e-1".to_owned(),
        trigger: Trigger::Record(position()),
        title: "Bucket orders opened to everybody".to_owned(),
        description: "ada replaced the policy of bucket orders by one that lets everybody read."
            .to_owned(),
        remediation: "Replace the policy.".to_owned(),
        datastore: Some(Datastore {
            uid: Cow::Borrowed("arn:aws:s3:::orders"),
            name: Some(Cow::Borrowed("orders")),
            resource_type: Some(Cow::Borrowed("AWS::S3::Bucket")),
            form: DatastoreForm::Bucket,
        }),
        origin: None,
        window_kind: Some(WindowKind::Confidentiality),
        exposure: None,
        rating: None,
        anomalies: Vec::new(),
        attacks: vec!["T1530".to_owned(), "T1685.002".to_owned()],
        evidences: vec![Evidence {
            event_uid: "e-1".to_owned(),
            type_uid: 600_303,
            position: position(),
            time: EventTime::from_millis(1_714_979_289_000),
            source: "aws.cloudtrail".to_owned(),
            actor,
            client,
            operation: "PutBucketPolicy".to_owned(),
            service: Some("s3.amazonaws.com".to_owned()),
            change: Some(change),
        }],
    }
}

fn bulk_read() -> Finding {
    let mut bulk = finding(Step::Create);
    bulk.rule = RuleId::ReadBulk;
    bulk.title = "Unusual bulk read: ada of orders".to_owned();
    bulk.description = "ada read 48,210 rows of bucket orders within an hour.".to_owned();
    bulk.remediation = "Ask ada.".to_owned();
    bulk.window_kind = None;
    bulk.attacks = vec!["T1530".to_owned()];
    bulk.evidences[0].operation = "GetObject".to_owned();
    bulk.evidences[0].type_uid = 600_501;
    bulk.evidences[0].change = None;
    let figure = |metric: &str, window_seconds, score_millinats| Anomaly {
        metric: metric.to_owned(),
        window_seconds,
        observed: 48_210,
        expected: 1_380,
        upper: 7_900,
        score_millinats,
        days: 21,
    };
    bulk.rating = Some(Rating { channel: "acute".to_owned(), millinats: 14_032 });
    bulk.anomalies =
        vec![figure("rows", 3_600, 14_032), figure("rows of all datastores", 86_400, 9)];
    bulk
}

fn statements() -> [Finding; 5] {
    let mut bare = finding(Step::Create);
    bare.datastore = None;
    bare.evidences[0].actor = Actor::default();
    bare.evidences[0].client = Client::default();
    bare.evidences[0].type_uid = 0;
    bare.trigger = Trigger::Keeper(4);
    [
        finding(Step::Create),
        finding(Step::Update),
        finding(Step::Close(CloseReason::Superseded)),
        bare,
        bulk_read(),
    ]
}

#[test]
fn findings_validate() {
    let schema = own(dataward_ocsf::schema::ALERT);
    let official = test_data("official OCSF schemas").map(|data| official(&data));
    for finding in statements() {
        let line = finding_json(&finding, &statement_uid(&finding), IngestTime::from_millis(5));
        check(&schema, &line);
        if let Some(official) = &official {
            check(&official[&2004], &line);
        }
    }
}

#[test]
fn statements_are_told_apart_by_content_and_not_by_when_or_who_counts() {
    let first = finding(Step::Create);
    assert_eq!(statement_uid(&first), statement_uid(&first.clone()));
    let uids: std::collections::BTreeSet<String> = statements().iter().map(statement_uid).collect();
    assert_eq!(uids.len(), statements().len());
    let (mut one, mut other) = (first.clone(), first);
    one.trigger = Trigger::Keeper(1);
    other.trigger = Trigger::Keeper(2);
    assert_eq!(statement_uid(&one), statement_uid(&other));
}

/// The golden line: whoever changes it changes what consumers get.
#[test]
fn an_alert_reads_as_agreed() {
    let finding = finding(Step::Create);
    let line = finding_json(
        &finding,
        &statement_uid(&finding),
        IngestTime::from_millis(1_714_979_289_120),
    );
    let golden = include_str!("golden/control_weakened.json").trim_end();
    assert_eq!(line, golden);
}

#[test]
fn an_alert_of_a_bulk_read_reads_as_agreed() {
    let finding = bulk_read();
    let logged_time = IngestTime::from_millis(1_714_979_289_120);
    let line = finding_json(&finding, &statement_uid(&finding), logged_time);
    let golden = include_str!("golden/read_bulk.json").trim_end();
    assert_eq!(line, golden);
}
