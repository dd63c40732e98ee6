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
    assert!(said.contains("24 of 24 expected alerts, 0 unexpected"), "{said}");
    assert!(
        said.contains("In the normal weeks before: 1: control.weakened on 2019-11-21"),
        "{said}"
    );
    for part in [
        "Exposed: analytics-copy",
        "Copy is less protected than elasticsearch://customers: analytics-copy",
        "Source is silent: analytics-copy",
        "Still exposed after 7 days: analytics-copy",
        "outsiders read 53 times (2,400,195 rows, 1.4 GB), from 192.0.2.0/24",
        "Audit log silenced: organization-trail",
        "No longer exposed: devices-2019-12-20",
        "Unusual bulk read: web-firewall-role/",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains("1 in quarantine"), "{said}");
    assert!(said.contains("verify: every offset accounted for"), "{said}");
    let wide: Vec<&str> = said.lines().filter(|line| line.chars().count() > 100).collect();
    let is_copied = |line: &&str| !line.contains("archive") && !line.contains("dataward");
    assert_eq!(wide.into_iter().filter(is_copied).collect::<Vec<_>>(), [""; 0], "{said}");

    let report = verified(&folder.path().join("archive"));
    assert_eq!(total(&report, "records"), total(&report, "events") + 1);
}
