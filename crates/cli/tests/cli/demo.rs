//! The first thing that anybody sees.

use tempfile::TempDir;

use crate::support::archive::{total, verified};
use crate::support::process::{dataward, text};

#[test]
fn the_demo_tells_its_story_and_leaves_a_whole_archive() {
    let folder = TempDir::new().unwrap();
    let demo = dataward(&["demo", "--once", "--data-dir", &text(folder.path())]).expect(0);
    let said = &demo.stdout;
    assert_eq!(said.matches("week of ").count(), 8, "{said}");
    for alert in [
        "Audit log silenced: organization-trail",
        "Protection weakened: authentication of analytics-copy",
        "Protection weakened: network exposure of analytics-copy",
        "Protection weakened: sharing of devices-2019-12-20",
    ] {
        assert!(said.contains(alert), "{alert}: {said}");
    }
    assert!(said.contains("1 in quarantine"), "{said}");
    assert!(said.contains("verify: every offset accounted for"), "{said}");
    let wide: Vec<&str> = said.lines().filter(|line| line.chars().count() > 100).collect();
    let is_copied = |line: &&str| !line.contains("archive") && !line.contains("dataward");
    assert_eq!(wide.into_iter().filter(is_copied).collect::<Vec<_>>(), [""; 0], "{said}");

    let report = verified(&folder.path().join("archive"));
    assert_eq!(total(&report, "records"), total(&report, "events") + 1);
}
