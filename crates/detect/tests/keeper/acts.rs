//! Acts that their source tells in several records.

use dataward_detect::posture_event::PostureEvent;
use dataward_event::audit_event::{Actor, DatastoreForm, Outcome};
use dataward_event::change::{Control, Direction};

use crate::scene::{Scene, change, datastore, event};

/// A change that names nobody, in the records of one act.
fn anonymous_change(number: i64, second: i64) -> PostureEvent {
    let weakened = change(Control::Authentication, "anonymous", Direction::Weakened, false);
    let of = datastore("cluster", DatastoreForm::Database);
    let mut event = event(number, second, &of, vec![weakened]);
    event.actor = Actor::default();
    event.correlation_uid = Some("act".to_owned());
    event
}

/// The record of the same act that says who, and how it ended.
fn companion(number: i64, second: i64, outcome: Outcome) -> PostureEvent {
    let of = datastore("cluster", DatastoreForm::Database);
    let mut event = event(number, second, &of, Vec::new());
    event.correlation_uid = Some("act".to_owned());
    event.outcome = outcome;
    event
}

fn told(happenings: Vec<PostureEvent>) -> Vec<String> {
    let mut scene = Scene::default();
    for happening in happenings {
        scene.change(happening);
    }
    scene.standing().values().map(|said| format!("{said:?}")).collect()
}

#[test]
fn who_made_a_change_stands_in_another_record() {
    let before = told(vec![companion(1, 10, Outcome::Success), anonymous_change(2, 10)]);
    let after = told(vec![anonymous_change(2, 10), companion(1, 10, Outcome::Success)]);
    assert_eq!(before, after);
    assert!(before[0].contains("j.doe"), "{before:?}");
    let mut other = companion(1, 10, Outcome::Success);
    other.correlation_uid = Some("another act".to_owned());
    let unknown = told(vec![other, anonymous_change(2, 10)]);
    assert!(!unknown[0].contains("j.doe"), "{unknown:?}");
}

#[test]
fn a_change_that_fails_in_the_end_is_over() {
    let failed = told(vec![anonymous_change(1, 10), companion(2, 40, Outcome::Failure)]);
    assert!(failed[0].contains("is_over: Some"), "{failed:?}");
    let mut of_another = companion(2, 40, Outcome::Failure);
    of_another.operation = "another call of the same deployment".to_owned();
    let still = told(vec![anonymous_change(1, 10), of_another]);
    assert!(still[0].contains("is_over: None"), "{still:?}");
}
