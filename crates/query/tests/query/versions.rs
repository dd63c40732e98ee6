//! Older versions of the table, and archives of older versions of the format.

use std::path::Path;

use dataward_query::engine::Options;
use dataward_query::error::QueryError;

use serde_json::json;

use crate::support::*;

#[test]
fn an_older_version_has_what_it_had() {
    let mut place = Place::new();
    place.events(START, &[read(START, "alice", "payments")]);
    place.events(START + DAY, &[read(START + DAY, "bob", "payments")]);
    let newest = place.engine().effort().version;
    for (version, expected) in [(Some(0), 0), (Some(2), 1), (Some(newest), 2), (None, 2)] {
        let engine = engine(&place.archive(), Options { version, ..Options::default() }).unwrap();
        assert_eq!(cell(&engine, "SELECT count(*) FROM events"), expected, "{version:?}");
        assert_eq!(engine.effort().version, version.unwrap_or(newest));
    }
    let version = Some(newest + 1);
    let error = engine(&place.archive(), Options { version, ..Options::default() }).unwrap_err();
    assert!(matches!(error, QueryError::Unknown(_)), "{error:?}");
    assert!(error.to_string().contains(&format!("its newest is {newest}")), "{error}");
}

#[test]
fn an_archive_of_every_format_reads() {
    for (version, windows) in [(1, 0), (2, 1)] {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../archive/tests/golden/v{version}/archive"));
        let engine = engine(&golden, Options { is_thorough: true, ..Options::default() }).unwrap();
        let count = |view: &str| cell(&engine, &format!("SELECT count(*) FROM {view}"));
        assert_eq!(count("access"), 2);
        assert_eq!(count("config_changes"), 1);
        assert_eq!(count("alerts"), 1);
        assert_eq!(count("quarantine"), 1);
        assert_eq!(count("gaps"), 1);
        assert_eq!(count("exposures"), windows);
        assert_eq!(count("exposure_statements"), 2 * windows);
        // What came later is null, and what is a list of structures is one.
        assert_eq!(count("archive WHERE exposure_uid IS NOT NULL"), 2 * windows);
        let changes = rows(
            &engine,
            "SELECT c['setting'], c['direction'], c['whole'] FROM \
             (SELECT unnest(changes) AS c FROM config_changes)",
        );
        assert_eq!(changes, [[json!("bucket_policy"), json!("weakened"), json!(true)]]);
        let gap = rows(&engine, "SELECT gap_from, gap_to, gap_cause FROM gaps");
        assert_eq!(gap, [[json!(4), json!(6), json!("lost")]]);
    }
}
