//! Which of the clocks an event is dated by.

use dataward_event::audit_event::TimeOrigin;
use dataward_event::limits::FUTURE_SKEW_MICROS;
use dataward_event::time::{EventTime, KafkaTime};

/// The event's own time, else the collector's, else Kafka's; `None` if there is none of them.
///
/// The future is clamped to Kafka's clock plus the allowed skew: a time that has not come yet would hold windows open
/// for ever. The past is never changed, because late events are real.
pub(crate) fn resolve(
    own: Option<EventTime>,
    collector: Option<EventTime>,
    kafka: Option<KafkaTime>,
) -> Option<(EventTime, TimeOrigin)> {
    let (time, origin) = match (own, collector, kafka) {
        (Some(time), _, _) => (time, TimeOrigin::Source),
        (None, Some(time), _) => (time, TimeOrigin::Collector),
        (None, None, Some(time)) => (time.as_clock(), TimeOrigin::Kafka),
        (None, None, None) => return None,
    };
    let Some(kafka) = kafka else { return Some((time, origin)) };
    let latest = kafka.as_clock().plus_micros(FUTURE_SKEW_MICROS);
    if time > latest { Some((latest, TimeOrigin::Clamped)) } else { Some((time, origin)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_clock_that_is_there_wins() {
        let (own, collector) = (EventTime::from_micros(10), EventTime::from_micros(20));
        let kafka = KafkaTime::from_micros(30);
        let resolved = |o, c, k| resolve(o, c, k).map(|(time, origin)| (time.micros(), origin));
        assert_eq!(
            resolved(Some(own), Some(collector), Some(kafka)),
            Some((10, TimeOrigin::Source))
        );
        assert_eq!(resolved(None, Some(collector), Some(kafka)), Some((20, TimeOrigin::Collector)));
        assert_eq!(resolved(None, None, Some(kafka)), Some((30, TimeOrigin::Kafka)));
        assert_eq!(resolved(None, None, None), None);
    }

    #[test]
    fn only_the_future_is_clamped() {
        let kafka = Some(KafkaTime::from_micros(1_000));
        let edge = EventTime::from_micros(1_000 + FUTURE_SKEW_MICROS);
        assert_eq!(resolve(Some(edge), None, kafka), Some((edge, TimeOrigin::Source)));
        assert_eq!(
            resolve(Some(edge.plus_micros(1)), None, kafka),
            Some((edge, TimeOrigin::Clamped))
        );
        let past = EventTime::from_micros(-5);
        assert_eq!(resolve(Some(past), None, kafka), Some((past, TimeOrigin::Source)));
    }
}
