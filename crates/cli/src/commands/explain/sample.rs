//! Portraits to draw in tests.

use dataward_detect::reads::bulk_reads::Counts;
use dataward_detect::reads::portrait::Portrait;
use dataward_detect::reads::portrait::shown::{
    ChannelShown, EvidenceShown, GrowthShown, HistoryShown, HoursShown, IncidentShown,
    MetricsShown, Unit, WindowShown,
};
use dataward_event::audit_event::Actor;
use dataward_event::position::Partition;

use super::Shown;

/// Somebody with four weeks behind it, and a dump on the open day.
pub(super) fn shown(name: &str) -> Shown {
    let mut shown = empty();
    shown.actor.name = Some(name.to_owned().into());
    let portrait = &mut shown.portrait;
    portrait.days = 20;
    portrait.windows[3].highest = 1_200_000.0;
    portrait.windows[3].nats = 40.0;
    portrait.windows[0].highest = 100.0;
    portrait.history = HistoryShown {
        volumes: (0..20).map(|day| 700.0 + 10.0 * f64::from(day)).collect(),
        open: 9_000.0,
        median: Some(800.0),
        large_event: Some(150.0),
        growth: Some(GrowthShown {
            statistic: 0.4,
            days: 4,
            usual: 800.0,
            recent: 850.0,
            nats: 1.2,
        }),
    };
    portrait.read_today = MetricsShown { rows: Some(1_200_000), bytes: None, objects: None };
    portrait.evidence = vec![EvidenceShown {
        family: "volume",
        score: 40.0,
        nats: 21.3,
        datastore: Some("orders".to_owned()),
        window_seconds: Some(86_400),
        seen: Some(1_200_000.0),
        unit: Some(Unit::Volume),
        usual: Some(800.0),
        upper: Some(3_000.0),
        ..EvidenceShown::default()
    }];
    portrait.incidents = vec![IncidentShown {
        uid: "finding-1".to_owned(),
        channel: "acute",
        rule: "read.bulk",
        since: 28,
        score_said: 12.5,
        said_on: 28,
        bar: 12.5,
        datastores: 1,
    }];
    shown
}

/// Somebody of whom nothing is known but its group.
pub(super) fn empty() -> Shown {
    let window = |seconds| WindowShown {
        seconds,
        now: 0.0,
        highest: 0.0,
        usual: 800.0,
        lower: 200.0,
        upper: 3_000.0,
        nats: 0.0,
        days: 0.0,
        is_judged: true,
    };
    let channel = |channel, threshold| ChannelShown {
        channel,
        evidence: 0.0,
        score: 0.0,
        weighed: None,
        threshold,
        speaks_from: 14,
        is_warm: true,
    };
    let portrait = Portrait {
        day: 28,
        as_of: 28 * 86_400 + 32_400,
        is_active: true,
        first_day: 0,
        last_day: 28,
        days: 0,
        group: "human".to_owned(),
        stratum: "human",
        borrowed_share: 1.0,
        weekday_factor: 1.0,
        lift_factor: 1.0,
        windows: [60, 600, 3_600, 86_400].map(window).into(),
        new_objects: Vec::new(),
        read_today: MetricsShown::default(),
        evidence: Vec::new(),
        channels: vec![channel("acute", Some(6.9)), channel("off_hours", None)],
        history: HistoryShown {
            volumes: Vec::new(),
            open: 0.0,
            median: None,
            large_event: None,
            growth: None,
        },
        hours: HoursShown {
            workdays: vec![0.1; 24],
            weekends: vec![0.0; 24],
            workdays_known: 0,
            weekend_days_known: 0,
            today: vec![9],
        },
        networks: 1,
        new_networks: 0,
        datastores: 1,
        new_datastores: 1,
        faded_datastores: 0,
        exports: 0,
        incidents: Vec::new(),
        datastore: None,
        left_out: Counts::default(),
    };
    let actor = Actor { uid: Some("ada".into()), ..Actor::default() };
    Shown { partition: Partition::new("audit", 0), actor, only_in: None, portrait }
}
