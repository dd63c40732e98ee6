//! Kafka no longer takes our password.

use std::path::Path;

use dataward_simulation::broker::{Broker, PASSWORD, USER};
use tempfile::TempDir;

use crate::support::archive::{committed, contents, total, verified};
use crate::support::health::start;
use crate::support::kafka::{self, Setup, broker, produce, setup_at};
use crate::support::process::{Finished, Running, write};
use crate::support::story::story;

/// A run as the user of the guarded port, whose password is in a file.
fn guarded(broker: &Broker, folder: &Path, topic: &str, password: &str) -> Setup {
    let secret = write(folder, "secret", password);
    let sasl = format!(
        "[kafka]\nsecurity.protocol = \"SASL_PLAINTEXT\"\nsasl.mechanisms = \"PLAIN\"\n\
         sasl.username = \"{USER}\"\nsasl.password_file = \"{}\"\n",
        secret.display()
    );
    setup_at(&broker.guarded(), folder, topic, "").with("[kafka]\n", &sasl)
}

/// It says what is wrong and what to do, and no secret.
fn is_told(finished: &Finished, passwords: &[&str]) {
    let said = &finished.stderr;
    let error = said.lines().find(|line| line.starts_with("error: ")).expect(said);
    assert!(error.contains("Kafka refuses our credentials: "), "{said}");
    assert!(error.contains("Invalid username or password"), "{said}");
    assert!(error.contains("correct the user or its secret in [kafka]"), "{said}");
    for password in passwords {
        assert!(!said.contains(password) && !finished.stdout.contains(password), "{said}");
    }
}

#[test]
fn a_wrong_password_ends_the_start() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    let wrong = "not-the-password-0815";
    let setup = guarded(broker, folder.path(), &topic, wrong);
    is_told(&Running::start(&setup.run()).wait().expect(4), &[wrong, PASSWORD]);
}

#[test]
fn a_password_that_is_changed_ends_run_with_everything_committed() {
    // Its own broker: its password is to change.
    let Some(mut broker) = Broker::start().unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(&broker, 2);
    let story = story(51, 300);
    produce(&broker, &topic, &story.messages[..200]);
    let setup = guarded(&broker, folder.path(), &topic, PASSWORD);
    // Nothing is committed by the clock: what is in the table came with the end.
    let setup = setup.with("flush_seconds = 1", "flush_seconds = 3600");
    let (mut running, address) = start(&setup);
    running.until("everything to be read", |_| {
        let scrape = crate::support::health::Scrape::of(&address);
        scrape.sum("messaging_client_consumed_messages_total") == 200.0
    });
    let changed = "another-password-4712";
    broker.stop().unwrap();
    broker.change_password(PASSWORD, changed).unwrap();
    broker.start_again().unwrap();
    let finished = running.wait().expect(4);
    is_told(&finished, &[PASSWORD, changed]);
    assert_eq!(finished.stderr.matches("\"message\":\"Kafka refuses our credentials\"").count(), 1);
    assert_eq!(committed(&setup.archive), 200);

    produce(&broker, &topic, &story.messages[200..]);
    let setup = guarded(&broker, folder.path(), &topic, changed);
    let mut running = Running::start(&setup.run());
    setup.until_settled(&mut running, 300);
    running.terminate().expect(0);
    assert_eq!(contents(&setup.archive).distinct_uids(), 300);
    assert_eq!(total(&verified(&setup.archive), "events"), 300);
}
