//! At which hours an actor is at work.

use serde::{Deserialize, Serialize};

const HOURS: usize = 24;
/// When so many days are known, the older ones begin to count half.
const DAYS_MAX: u8 = 60;
/// The weight of the group's hours, in days.
const GROUP_DAYS: f64 = 0.5;

/// The hours of an actor's active days: workdays and weekends apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OfficeHours {
    counts: [[u8; HOURS]; 2],
    days: [u8; 2],
}

/// The same of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupHours {
    counts: [[f32; HOURS]; 2],
    days: [f32; 2],
}

/// Whether a day since 1970-01-01 is a Saturday or Sunday.
pub const fn is_weekend(day: i32) -> bool {
    weekday(day) >= 5
}

/// The weekday of a day since 1970-01-01, a Thursday: Monday is 0.
pub const fn weekday(day: i32) -> usize {
    (day + 3).rem_euclid(7) as usize
}

impl OfficeHours {
    /// Takes a day in: the bit of each hour (UTC) with an event.
    pub fn teach(&mut self, day: i32, hours: u32) {
        let part = usize::from(is_weekend(day));
        if self.days[part] >= DAYS_MAX {
            self.days[part] /= 2;
            self.counts[part].iter_mut().for_each(|count| *count /= 2);
        }
        self.days[part] += 1;
        for hour in (0..HOURS).filter(|hour| hours >> hour & 1 == 1) {
            self.counts[part][hour] += 1;
        }
    }

    /// The probability that the actor is at work in an hour of such a day. Neighbouring hours count half as much.
    pub fn presence(&self, day: i32, hour: usize, group: &GroupHours) -> f64 {
        let part = usize::from(is_weekend(day));
        let at = |hour: usize| f64::from(self.counts[part][hour % HOURS]);
        let own = 0.25 * at(hour + HOURS - 1) + 0.5 * at(hour) + 0.25 * at(hour + 1);
        let of_group = group.presence(part, hour);
        (GROUP_DAYS * of_group + own) / (GROUP_DAYS + f64::from(self.days[part]))
    }

    /// How many workdays and weekend days it knows.
    pub const fn days_of_parts(&self) -> [u8; 2] {
        self.days
    }

    /// How many days it knows.
    pub const fn days(&self) -> u32 {
        self.days[0] as u32 + self.days[1] as u32
    }
}

impl GroupHours {
    /// Takes an actor-day in.
    pub fn teach(&mut self, day: i32, hours: u32) {
        let part = usize::from(is_weekend(day));
        self.days[part] += 1.0;
        for hour in (0..HOURS).filter(|hour| hours >> hour & 1 == 1) {
            self.counts[part][hour] += 1.0;
        }
    }

    /// A day is over: those before it count less.
    pub fn fade(&mut self) {
        self.days.iter_mut().for_each(|days| *days *= 0.97);
        self.counts.iter_mut().flatten().for_each(|count| *count *= 0.97);
    }

    /// The probability that one of the group is at work, a tenth where nothing is known.
    fn presence(&self, part: usize, hour: usize) -> f64 {
        let at = |hour: usize| f64::from(self.counts[part][hour % HOURS]);
        let smooth = 0.25 * at(hour + HOURS - 1) + 0.5 * at(hour) + 0.25 * at(hour + 1);
        (0.1 + smooth) / (1.0 + f64::from(self.days[part]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Day 4 was Monday, 1970-01-05.
    const MONDAY: i32 = 4;

    #[test]
    fn a_night_is_unusual_of_who_works_by_day() {
        let (mut own, mut group) = (OfficeHours::default(), GroupHours::default());
        for day in (0..28).map(|day| MONDAY + day).filter(|day| !is_weekend(*day)) {
            own.teach(day, 0b0000_0001_1111_1111_0000_0000);
            group.teach(day, 0b0000_0001_1111_1111_0000_0000);
        }
        let presence = |day, hour| own.presence(day, hour, &group);
        assert!(presence(MONDAY, 12) > 0.9 && presence(MONDAY, 3) < 0.03);
        assert!(presence(MONDAY, 17) > 0.2, "{}", presence(MONDAY, 17));
        assert!((0.05..0.2).contains(&presence(MONDAY + 5, 12)), "a weekend is not known yet");
    }

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        assert_eq!([0, 1, 2, 3, 4, 10].map(weekday), [3, 4, 5, 6, 0, 6]);
        assert!(is_weekend(-5) && !is_weekend(-3), "1969-12-27 was a Saturday");
    }

    #[test]
    fn counts_end() {
        let mut own = OfficeHours::default();
        (0..2_000).for_each(|day| own.teach(day, u32::MAX));
        assert!(own.days() <= 120 && own.presence(MONDAY, 1, &GroupHours::default()) > 0.98);
    }
}
