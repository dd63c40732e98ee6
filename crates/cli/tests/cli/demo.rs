//! The first thing that anybody sees.

use tempfile::TempDir;

use crate::support::archive::{contents, total, verified};
use crate::support::process::{dataward, text};

#[test]
fn the_demo_alerts_every_weakening_and_leaves_a_whole_archive() {
    let folder = TempDir::new().unwrap();
    let demo = dataward(&["demo", "--once", "--data-dir", &text(folder.path())]).expect(0);
    let said = &demo.stdout;
    assert!(said.contains("7 of 7 weakenings alerted, 0 look-alikes did"), "{said}");
    assert!(said.contains("1 in quarantine"), "{said}");
    assert!(said.contains("verify: every offset accounted for"), "{said}");
    // Partitions are read in any order: one more may have come and been withdrawn.
    assert!(said.matches("next: ").count() >= 7, "{said}");

    let report = verified(&folder.path().join("archive"));
    assert_eq!(total(&report, "records"), total(&report, "events") + 1);
    assert_eq!(contents(&folder.path().join("archive")).findings.len(), 7);
}
