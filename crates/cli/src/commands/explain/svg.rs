//! A portrait as a drawing: one file that needs nothing else, for light and dark.

use std::fmt::{Display, Write};

use dataward_detect::reads::portrait::Portrait;
use dataward_detect::reads::portrait::shown::WindowShown;
use dataward_event::time::EventTime;

use super::Shown;
use super::chart::{Scale, written};

const WIDTH: f64 = 820.0;
const MARGIN: f64 = 24.0;
/// Where charts begin: labels stand left of it.
const LEFT: f64 = 96.0;
/// Where they end: marks are named right of it.
const RIGHT: f64 = 640.0;
/// How high the days are.
const DAYS_HIGH: f64 = 150.0;
/// How high the row of a window is.
const WINDOW_HIGH: f64 = 24.0;

/// Colours by what a thing means; a drawing follows the reader's light or dark.
const STYLE: &str = "\
svg{--paper:#fff;--ink:#1f2328;--faint:#6e7781;--bar:#4f7cac;--open:#d1642b;--band:#4f7cac;--line:#1f2328}\
@media(prefers-color-scheme:dark){svg{--paper:#14171b;--ink:#e6edf3;--faint:#9aa4ae;--bar:#6ea0d6;--open:#f0883e;\
--band:#6ea0d6;--line:#e6edf3}}\
.paper{fill:var(--paper)}text{fill:var(--ink);font:12px system-ui,sans-serif}.head{font-size:16px;font-weight:600}\
.faint{fill:var(--faint)}.end{text-anchor:end}.bar{fill:var(--bar)}.open{fill:var(--open)}\
.beyond{fill:none;stroke:var(--open);stroke-dasharray:3 2}.band{fill:var(--band);opacity:.16}\
.usual{stroke:var(--line);stroke-width:1.5}.upper{stroke:var(--open);stroke-width:1.5;stroke-dasharray:5 3}";

/// The drawing of all actors, one below the other.
pub(super) fn drawing(shown: &[Shown]) -> String {
    let mut sheet = Sheet { text: String::new(), y: MARGIN };
    if shown.is_empty() {
        sheet.down(20.0);
        sheet.say(MARGIN, "faint", "no reads");
    }
    for one in shown {
        sheet.actor(one);
    }
    let high = sheet.y + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{high:.0}\" \
         viewBox=\"0 0 {WIDTH} {high:.0}\" role=\"img\">\n<title>What is usual, and how the open day stands</title>\n\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
        sheet.text
    )
}

/// A text that cannot end where it stands. Control characters have no place in XML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                safe.push('\u{fffd}');
            }
            letter => safe.push(letter),
        }
    }
    safe
}

/// What is drawn so far, and how far down.
struct Sheet {
    text: String,
    y: f64,
}

impl Sheet {
    fn down(&mut self, by: f64) {
        self.y += by;
    }

    /// Adds an element; writing to a text cannot fail.
    fn add(&mut self, element: impl Display) {
        let _ = writeln!(self.text, "{element}");
    }

    fn say(&mut self, x: f64, class: &str, text: &str) {
        let (y, text) = (self.y, escaped(text));
        self.add(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
    }

    fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4], tip: &str) {
        let tip = escaped(tip);
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">\
             <title>{tip}</title></rect>"
        ));
    }

    fn stroke(&mut self, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
        self.add(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    fn actor(&mut self, shown: &Shown) {
        let portrait = &shown.portrait;
        self.down(16.0);
        self.say(MARGIN, "head", &shown.name());
        self.down(18.0);
        let as_of = EventTime::from_micros(portrait.as_of.saturating_mul(1_000_000));
        let under = format!(
            "{}, as of {as_of}; {} active days over; group {}, {}",
            shown.partition.path(),
            portrait.days,
            portrait.group,
            portrait.stratum
        );
        self.say(MARGIN, "faint", &under);
        self.down(16.0);
        self.days(portrait);
        self.down(30.0);
        self.say(
            MARGIN,
            "",
            "highest of the open day in all datastores: bar; usual: line; one day in 1,000: dashes",
        );
        self.windows(&portrait.windows);
        if let Some(datastore) = &portrait.datastore {
            self.down(26.0);
            let label = datastore.label.as_deref().unwrap_or("the datastore");
            self.say(MARGIN, "", &format!("the same in {label}"));
            self.windows(&datastore.windows);
        }
        self.down(20.0);
    }

    /// The last active days as bars, the usual level, the band in which all but two days in a thousand lie, and the open
    /// day: what counts of it, and beyond that what large single events add.
    fn days(&mut self, portrait: &Portrait) {
        let history = &portrait.history;
        let day = portrait.windows.last();
        let usual = history.growth.as_ref().map(|growth| growth.usual).or(history.median);
        let usual = usual.or(day.map(|day| day.usual));
        let band = day.map(|day| [day.lower, day.upper]);
        let whole = day.map_or(history.open, |day| day.highest.max(history.open));
        let open = portrait.is_active.then_some([history.open, whole]);
        let all = history.volumes.iter().copied();
        let scale = Scale::of(all.chain(usual).chain(band.into_iter().chain(open).flatten()));

        let foot = self.y + DAYS_HIGH;
        let y = |volume: f64| foot - scale.part(volume) * DAYS_HIGH;
        let slot = (RIGHT - LEFT) / (history.volumes.len() + 2) as f64;
        if let Some([lower, upper]) = band {
            let tip =
                format!("all but two days in 1,000: {} to {}", written(lower), written(upper));
            let high = (y(lower) - y(upper)).max(0.0);
            self.rect("band", [LEFT, y(upper), RIGHT - LEFT, high], &tip);
        }
        for (place, volume) in history.volumes.iter().enumerate() {
            let x = LEFT + slot * place as f64;
            let tip = format!("{} units", written(*volume));
            self.rect("bar", [x + 0.1 * slot, y(*volume), 0.8 * slot, foot - y(*volume)], &tip);
        }
        if let Some([counted, whole]) = open {
            let x = RIGHT - slot;
            let tip = format!("open day: {} units", written(counted));
            self.rect("open", [x + 0.1 * slot, y(counted), 0.8 * slot, foot - y(counted)], &tip);
            if whole > counted {
                let tip = format!("with large single events in full: {} units", written(whole));
                let high = y(counted) - y(whole);
                self.rect("beyond", [x + 0.1 * slot, y(whole), 0.8 * slot, high], &tip);
            }
        }
        let mut marks: Vec<(&str, f64, &str)> = Vec::new();
        marks.extend(usual.map(|usual| ("usual", usual, "usual")));
        marks.extend(band.map(|[_, upper]| ("upper", upper, "1 day in 1,000")));
        let mut lowest = f64::INFINITY;
        for (class, volume, name) in marks {
            self.stroke(class, [LEFT, y(volume), RIGHT, y(volume)]);
            // From below upwards; names that would lie on each other make room.
            self.y = (y(volume) + 4.0).min(lowest - 14.0);
            lowest = self.y;
            self.say(RIGHT + 8.0, "faint", &format!("{name}: {}", written(volume)));
        }
        self.y = foot + 16.0;
        self.say(
            LEFT,
            "faint",
            &format!("the last {} active days, in units", history.volumes.len()),
        );
        self.say(RIGHT - 50.0, "faint", "open day");
    }

    fn windows(&mut self, windows: &[WindowShown]) {
        let volumes =
            windows.iter().flat_map(|window| [window.highest, window.usual, window.upper]);
        let scale = Scale::of(volumes);
        let x = |volume: f64| LEFT + scale.part(volume) * (RIGHT - LEFT);
        self.down(10.0);
        for window in windows {
            let (top, foot) = (self.y, self.y + WINDOW_HIGH - 6.0);
            let is_beyond = window.highest > window.upper;
            let class = if is_beyond { "open" } else { "bar" };
            let tip = format!("{} units, {:.1} nats", written(window.highest), window.nats);
            if window.highest > 0.0 {
                let wide = x(window.highest) - LEFT;
                self.rect(class, [LEFT, top + 3.0, wide, foot - top - 6.0], &tip);
            }
            self.stroke("usual", [x(window.usual), top, x(window.usual), foot]);
            self.stroke("upper", [x(window.upper), top, x(window.upper), foot]);
            self.y = top + 13.0;
            let span = match window.seconds {
                60 => "1 minute",
                600 => "10 minutes",
                3_600 => "1 hour",
                _ => "1 day",
            };
            self.say(LEFT - 10.0, "end", span);
            let figures = format!("{}, usual {}", written(window.highest), written(window.usual));
            self.say(RIGHT + 8.0, "faint", &figures);
            self.y = top + WINDOW_HIGH;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::explain::sample::{empty, shown};

    /// No number is none, and every element that begins ends.
    fn check(drawing: &str) {
        for wrong in ["NaN", "inf", "<script", "href"] {
            assert!(!drawing.contains(wrong), "{wrong}: {drawing}");
        }
        for element in ["text", "title", "rect", "style"] {
            let begun = drawing.matches(&format!("<{element}")).count();
            let alone = if element == "rect" { 1 } else { 0 };
            let ended = drawing.matches(&format!("</{element}>")).count();
            assert_eq!(begun, ended + alone, "{element}: {drawing}");
        }
        assert!(drawing.starts_with("<svg xmlns=") && drawing.ends_with("</svg>\n"));
    }

    #[test]
    fn a_drawing_has_a_bar_for_each_day_and_one_for_the_open_day() {
        let drawing = drawing(&[shown("ada")]);
        check(&drawing);
        assert_eq!(drawing.matches("class=\"bar\"").count(), 20 + 1);
        assert_eq!(drawing.matches("class=\"band\"").count(), 1);
        assert_eq!(drawing.matches("class=\"beyond\"").count(), 1);
        assert!(drawing.contains("usual: 800") && drawing.contains("prefers-color-scheme:dark"));
    }

    #[test]
    fn names_are_texts_whatever_is_in_them() {
        let drawing = drawing(&[shown("</text><script>'\"&\u{1b}")]);
        check(&drawing);
        assert!(
            drawing.contains("&lt;/text&gt;&lt;script&gt;&#39;&quot;&amp;\u{fffd}"),
            "{drawing}"
        );
    }

    #[test]
    fn somebody_new_and_nobody_are_drawn() {
        check(&drawing(&[empty()]));
        check(&drawing(&[empty(), shown("ada")]));
        assert!(drawing(&[]).contains("no reads"));
        check(&drawing(&[]));
    }
}
