//! A portrait for people: tables, sentences and charts of blocks.

use std::fmt::Write;

use dataward_detect::phrases::grouped;
use dataward_detect::reads::portrait::Portrait;
use dataward_detect::reads::portrait::shown::{
    ChannelShown, DatastoreShown, EvidenceShown, IncidentShown, MetricsShown, NewObjectsShown,
    Unit, WindowShown,
};
use dataward_event::time::EventTime;

use super::Shown;
use super::chart::{self, Mark, written};
use crate::output::lined_up;

/// The text of one actor in one partition.
pub(super) fn told(shown: &Shown) -> String {
    let portrait = &shown.portrait;
    let mut text = String::new();
    head(&mut text, shown);
    volume(&mut text, portrait);
    history(&mut text, portrait);
    evidence(&mut text, portrait);
    hours(&mut text, portrait);
    incidents(&mut text, portrait);
    left_out(&mut text, portrait);
    text
}

/// What a log says must not write to the terminal of those who read it.
fn clean(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// A line; writing to a text cannot fail.
fn line(text: &mut String, line: impl std::fmt::Display) {
    let _ = writeln!(text, "{line}");
}

fn title(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{title}");
}

fn date(day: i32) -> String {
    EventTime::from_micros(i64::from(day) * 86_400_000_000).date()
}

fn head(text: &mut String, shown: &Shown) {
    let portrait = &shown.portrait;
    let as_of = EventTime::from_micros(portrait.as_of.saturating_mul(1_000_000));
    let place = clean(&shown.partition.path());
    line(text, format!("{} in {place}, as of {as_of}", clean(&shown.name())));
    let days = portrait.days;
    line(
        text,
        format!(
            "{days} active day{} over, the first on {}, the newest event on {}",
            if days == 1 { "" } else { "s" },
            date(portrait.first_day),
            date(portrait.last_day),
        ),
    );
    line(
        text,
        format!(
            "compared with the group {}, {}; {:.0} % of what is expected of its day is theirs",
            clean(&portrait.group),
            stratum(portrait.stratum),
            portrait.borrowed_share * 100.0
        ),
    );
    let is_active = if portrait.is_active { "active" } else { "no event of it yet" };
    let read = read(&portrait.read_today);
    line(text, format!("open day {}: {is_active}{read}", date(portrait.day)));
    line(
        text,
        format!(
            "datastores {}, new today {}, left long ago {}; networks remembered {}, new today {}; exports today {}",
            portrait.datastores,
            portrait.new_datastores,
            portrait.faded_datastores,
            portrait.networks,
            portrait.new_networks,
            portrait.exports
        ),
    );
}

fn stratum(name: &str) -> &str {
    match name {
        "human" => "as people are",
        "continuous" => "as services are",
        "batch" => "as batch jobs are",
        _ => "as readers without an identity are",
    }
}

fn read(read: &MetricsShown) -> String {
    let of =
        |count: Option<u64>, unit: &str| count.map(|count| format!("{} {unit}", grouped(count)));
    let parts = [of(read.rows, "rows"), of(read.bytes, "bytes"), of(read.objects, "objects")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(", read {}", parts.join(", ")) }
}

fn volume(text: &mut String, portrait: &Portrait) {
    title(
        text,
        "volume of all datastores, in units: rows or KiB, whichever is more (else objects)",
    );
    text.push_str(&windows(&portrait.windows));
    if portrait.lift_factor > 1.0 {
        let factor = portrait.lift_factor;
        line(
            text,
            format!(
                "others of the group read {factor:.1} times as much as usual today: that is in it"
            ),
        );
    }
    if portrait.weekday_factor != 1.0 {
        let factor = portrait.weekday_factor;
        line(
            text,
            format!("this weekday has {factor:.2} times the volume of others: that is in it"),
        );
    }
    if let Some(datastore) = &portrait.datastore {
        of_datastore(text, datastore);
    }
    title(text, "objects never read before");
    text.push_str(&objects(&portrait.new_objects));
}

fn of_datastore(text: &mut String, of: &DatastoreShown) {
    let label = clean(of.label.as_deref().unwrap_or("the datastore"));
    title(text, &format!("volume of {label}"));
    text.push_str(&windows(&of.windows));
    if of.windows.iter().any(|window| !window.is_judged) {
        line(
            text,
            "read on fewer than three days: it is judged as a new datastore, not by these windows",
        );
    }
    line(
        text,
        format!(
            "{} active days over, first {}, last {}; different objects {}, new today {}; exports on {} days; readers of \
             the group {}{}",
            of.days,
            date(of.first_day),
            date(of.last_day),
            grouped(u64::from(of.objects)),
            grouped(u64::from(of.new_objects)),
            of.export_days,
            of.readers_of_group,
            read(&of.read_today).replacen(", read", "; today", 1),
        ),
    );
}

fn span(seconds: u32) -> &'static str {
    match seconds {
        60 => "1 min",
        600 => "10 min",
        3_600 => "1 h",
        _ => "1 d",
    }
}

fn windows(windows: &[WindowShown]) -> String {
    let columns = ["window", "now", "highest today", "usual", "1 day in 1,000", "nats"];
    let of = |window: &WindowShown| {
        vec![
            span(window.seconds).to_owned(),
            written(window.now),
            written(window.highest),
            written(window.usual),
            written(window.upper),
            format!("{:.1}", window.nats),
        ]
    };
    lined_up(&columns, windows.iter().map(of).collect())
}

fn objects(windows: &[NewObjectsShown]) -> String {
    let columns = ["window", "highest today", "usual", "1 day in 1,000", "nats"];
    let of = |window: &NewObjectsShown| {
        let nats = if window.is_judged { format!("{:.1}", window.nats) } else { "few".to_owned() };
        let counts = [window.highest, window.usual, window.upper].map(written);
        [span(window.seconds).to_owned()].into_iter().chain(counts).chain([nats]).collect()
    };
    lined_up(&columns, windows.iter().map(of).collect())
}

fn history(text: &mut String, portrait: &Portrait) {
    let history = &portrait.history;
    let days = history.volumes.len();
    title(
        text,
        &format!(
            "last {days} active days and the open one, in units, large single events counted less"
        ),
    );
    let usual = history.growth.as_ref().map(|growth| growth.usual).or(history.median);
    let day = portrait.windows.last();
    let marks: Vec<Mark<'_>> = [
        usual.map(|volume| Mark { volume, name: "usual" }),
        day.map(|day| Mark { volume: day.upper, name: "1 day in 1,000" }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let open = portrait.is_active.then_some(history.open);
    let lines = chart::history(&history.volumes, open, &marks);
    if lines.is_empty() {
        line(text, "none yet");
    }
    lines.iter().for_each(|drawn| line(text, drawn));
    match &history.growth {
        Some(growth) => line(
            text,
            format!(
                "the last {} days: {} a day, where {} was usual; {:.1} nats",
                growth.days,
                written(growth.recent),
                written(growth.usual),
                growth.nats
            ),
        ),
        None => line(text, "too few days to say whether it grows"),
    }
}

fn evidence(text: &mut String, portrait: &Portrait) {
    title(text, "evidence of the open day");
    let columns = ["kind", "nats alone", "calibrated", "where"];
    let of = |shown: &EvidenceShown| {
        vec![
            shown.family.to_owned(),
            format!("{:.1}", shown.score),
            format!("{:.1}", shown.nats),
            place(shown),
        ]
    };
    let rows =
        portrait.evidence.iter().filter(|shown| shown.score > 0.0).map(of).collect::<Vec<_>>();
    if rows.is_empty() {
        line(text, "none");
    } else {
        text.push_str(&lined_up(&columns, rows));
    }
    text.push('\n');
    let columns = ["channel", "evidence", "score", "with sensitivity", "told from", "stands"];
    text.push_str(&lined_up(&columns, portrait.channels.iter().map(channel).collect()));
}

fn place(shown: &EvidenceShown) -> String {
    let of = if shown.of_all_datastores {
        "all datastores".to_owned()
    } else {
        clean(shown.datastore.as_deref().unwrap_or("a datastore that is forgotten"))
    };
    let seen = shown.seen.map(written).unwrap_or_default();
    let within = shown.window_seconds.map(|seconds| format!(" in {}", span(seconds)));
    let within = within.unwrap_or_default();
    match shown.unit {
        Some(Unit::Volume) => {
            let beside = match (shown.usual, shown.peers) {
                (Some(usual), _) => format!(", usual {}", written(usual)),
                (None, Some(peers)) => format!(", {peers} of the group came before"),
                (None, None) => String::new(),
            };
            format!("{of}: {seen}{within}{beside}")
        }
        Some(Unit::Objects) => {
            let usual = shown.usual.map(written).unwrap_or_default();
            format!("{of}: {seen} objects{within}, usual {usual}")
        }
        Some(Unit::Datastores) => format!("{seen} datastores that are new to it"),
        Some(Unit::OddHours) => {
            let presence = shown.presence.unwrap_or(0.0) * 100.0;
            let hour = shown.hour.unwrap_or(0);
            format!(
                "{of}: {hour:02}:00 UTC, at work on {presence:.0} of 100 such days; odd hours {seen}"
            )
        }
        Some(Unit::Seconds) => {
            format!("{of}: network first seen {:.0} min before", shown.seen.unwrap_or(0.0) / 60.0)
        }
        None => of,
    }
}

fn channel(of: &ChannelShown) -> Vec<String> {
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    let counted = of.weighed.unwrap_or(of.score);
    let stands = match of.threshold {
        None => "off".to_owned(),
        Some(_) if !of.is_warm => format!("learning until {}", date(of.speaks_from)),
        Some(threshold) if counted >= threshold => "above".to_owned(),
        Some(_) => "below".to_owned(),
    };
    vec![
        of.channel.to_owned(),
        figure((of.evidence > 0.0).then_some(of.evidence)),
        format!("{:.1}", of.score),
        figure(of.weighed),
        figure(of.threshold),
        stands,
    ]
}

fn hours(text: &mut String, portrait: &Portrait) {
    let hours = &portrait.hours;
    title(text, "hours at work, UTC (how often an event falls into the hour)");
    line(text, "           0     6     12    18");
    line(
        text,
        format!("workdays   {}  {} known", chart::row(&hours.workdays), hours.workdays_known),
    );
    line(
        text,
        format!("weekends   {}  {} known", chart::row(&hours.weekends), hours.weekend_days_known),
    );
    let today: Vec<f64> =
        (0..24).map(|hour| if hours.today.contains(&hour) { 1.0 } else { 0.0 }).collect();
    line(text, format!("open day   {}", chart::row(&today)));
}

fn incidents(text: &mut String, portrait: &Portrait) {
    title(text, "incidents that are not over");
    if portrait.incidents.is_empty() {
        line(text, "none");
        return;
    }
    let columns = ["channel", "rule", "since", "score said", "on", "now", "datastores", "finding"];
    // A rule of policy needs no score.
    let score = |score: f64| if score > 0.0 { format!("{score:.1}") } else { "-".to_owned() };
    let of = |incident: &IncidentShown| {
        vec![
            incident.channel.to_owned(),
            incident.rule.to_owned(),
            date(incident.since),
            score(incident.score_said),
            date(incident.said_on),
            score(incident.bar),
            incident.datastores.to_string(),
            incident.uid.clone(),
        ]
    };
    text.push_str(&lined_up(&columns, portrait.incidents.iter().map(of).collect()));
}

fn left_out(text: &mut String, portrait: &Portrait) {
    let counts = portrait.left_out;
    title(text, "left out in the whole partition");
    line(
        text,
        format!(
            "reads more than a day late {}, days ahead of all others {}; actors, datastores and pairs forgotten {}",
            grouped(counts.late),
            grouped(counts.ahead),
            grouped(counts.forgotten)
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::explain::sample::{empty, shown};

    #[test]
    fn a_dump_is_told_in_figures() {
        let text = told(&shown("ada"));
        for part in [
            "ada in audit/0/0, as of 1970-01-29T09:00:00Z",
            "20 active days over, the first on 1970-01-01",
            "compared with the group human, as people are; 100 % of",
            "open day 1970-01-29: active, read 1,200,000 rows",
            "orders: 1.2M in 1 d, usual 800",
            "the last 4 days: 850 a day, where 800 was usual; 1.2 nats",
            "workdays   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0 known",
            "open day   ·········█··············",
            "finding-1",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("NaN"), "{text}");
    }

    #[test]
    fn somebody_new_is_told_and_a_name_writes_no_lines() {
        let text = told(&empty());
        assert!(text.contains("too few days to say whether it grows"), "{text}");
        let lines = told(&shown("ada")).lines().count();
        let text = told(&shown("a\nb\u{1b}[2J"));
        assert!(text.starts_with("a\u{fffd}b\u{fffd}[2J (ada) in"), "{text}");
        assert_eq!(text.lines().count(), lines);
    }
}
