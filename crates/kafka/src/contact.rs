//! Whether a broker answers, and whether it lets us in: told once at each change, not with every attempt.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What is known of the brokers. librdkafka's callbacks write it, and whoever waits for a broker reads it.
#[derive(Debug, Default)]
pub(crate) struct Contact {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    standing: Standing,
    /// What librdkafka has said last: it says the same again with every attempt.
    complaint: String,
}

#[derive(Debug, Default)]
enum Standing {
    /// A broker answers, or nobody has asked one yet.
    #[default]
    Fine,
    /// None answers.
    Away { since: Instant },
    /// One answers, and does not let us in.
    Refused { since: Instant, reason: String },
}

impl Contact {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that librdkafka complains about.
    pub(crate) fn complaint(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        let mut state = self.lock();
        if code.is_some_and(is_refusal) {
            if !matches!(state.standing, Standing::Refused { .. }) {
                tracing::warn!(reason, "Kafka refuses our credentials");
                let reason = reason.to_owned();
                state.standing = Standing::Refused { since: Instant::now(), reason };
            }
        } else if code == Some(RDKafkaErrorCode::AllBrokersDown) {
            if matches!(state.standing, Standing::Fine) {
                let known =
                    Some(state.complaint.as_str()).filter(|complaint| !complaint.is_empty());
                let reason = known.unwrap_or("all connections have ended");
                tracing::warn!(
                    reason,
                    "no Kafka broker answers: waiting; what was read is archived meanwhile"
                );
                state.standing = Standing::Away { since: Instant::now() };
            }
        } else if state.complaint != reason {
            reason.clone_into(&mut state.complaint);
            if code.is_some_and(is_absence) {
                tracing::debug!(%error, "{reason}");
            } else if code.is_some_and(is_without_topic) {
                tracing::warn!(
                    reason,
                    "a topic is gone, or we may no longer read it: it is waited for; one that is created again needs \
                     another `incarnation` in [[topics]]"
                );
            } else {
                tracing::warn!(%error, "{reason}");
            }
        }
    }

    /// Whether a broker is known to answer, from the statistics.
    pub(crate) fn heard(&self, answers: bool) {
        let mut state = self.lock();
        let (Standing::Away { since } | Standing::Refused { since, .. }) = &state.standing else {
            return;
        };
        if answers {
            let seconds = since.elapsed().as_secs();
            tracing::info!(seconds, "a Kafka broker answers again");
            *state = State::default();
        }
    }

    /// Whether no broker answers: what librdkafka says then of its requests is no news.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self.lock().standing, Standing::Away { .. })
    }

    /// Why no broker has let us in for so long.
    pub(crate) fn refused_for(&self, least: Duration) -> Option<String> {
        match &self.lock().standing {
            Standing::Refused { since, reason } if since.elapsed() >= least => Some(format!(
                "Kafka refuses our credentials: {reason}: correct the user or its secret in [kafka], and start again"
            )),
            _ => None,
        }
    }
}

/// Nobody is there: that passes by itself.
pub(crate) fn is_absence(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::Resolve
    )
}

/// Somebody is there, and a topic is not.
pub(crate) fn is_without_topic(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)
}

/// Somebody is there, and does not know us.
pub(crate) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::UnsupportedSASLMechanism
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: RDKafkaErrorCode) -> KafkaError {
        KafkaError::Global(code)
    }

    #[test]
    fn a_refusal_stands_until_a_broker_lets_us_in() {
        let contact = Contact::default();
        contact.complaint(&error(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(contact.refused_for(Duration::ZERO), None);
        contact.complaint(&error(RDKafkaErrorCode::Authentication), "bad password");
        contact.complaint(&error(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
        contact.heard(false);
        let told = contact.refused_for(Duration::ZERO).expect("it is refused");
        assert!(told.starts_with("Kafka refuses our credentials: bad password: "), "{told}");
        assert_eq!(contact.refused_for(Duration::from_secs(3600)), None);
        contact.heard(true);
        assert_eq!(contact.refused_for(Duration::ZERO), None);
    }
}
