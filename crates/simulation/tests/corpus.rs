//! The corpus of labelled cases before the detector: everything that takes protection away is found, all else is quiet.

use std::collections::BTreeSet;

use dataward_detect::catalogue::{self, CatalogueRow, Confidence};
use dataward_simulation::corpus::case::Label;
use dataward_simulation::corpus::report::Report;
use dataward_simulation::corpus::{built_in, order};

/// Rows whose records do not tell in which direction they change protection: they are kept, and raise no alarm.
const WITHOUT_DIRECTION: &[&str] = &[
    "atlas.audit.updated",
    "aws.dynamodb.table.deleted",
    "aws.s3.bucket.deleted",
    "aws.s3.replication.removed",
    "azure.cosmos.keys.listed",
    "azure.storage.account.deleted",
    "azure.storage.key_source.changed",
    "azure.storage.keys.listed",
    "azure.storage.private_endpoint.deleted",
    "databricks.account.setting_changed",
    "databricks.sso.changed",
    "elasticsearch.repository.registered",
    "gcp.cloudsql.certificate.deleted",
    "gcp.cloudsql.user.updated",
    "gcp.storage.bucket.deleted",
    "kafka.acls.changed",
    "kafka.configs.changed",
    "kafka.scram.changed",
    "mongodb.database.dropped",
    "mysql.audit.stopped",
    "mysql.instance.keys",
    "mysql.plugin.authentication",
    "postgres.function.reaching_out",
    "snowflake.masking_policy.changed",
];

/// Rows whose records name no datastore, so that nothing can be said of one.
const WITHOUT_DATASTORE: &[&str] = &["aws.rds.automated_backups.deleted"];

/// The rows that an alarm may rely on.
fn sure_rows() -> impl Iterator<Item = &'static CatalogueRow> {
    catalogue::rows().filter(|row| row.confidence != Confidence::Verify)
}

#[test]
fn every_case_goes_as_its_label_says() {
    let cases = built_in().unwrap();
    let report = Report::of(&cases);
    for (source, of_source) in &report.sources {
        let counts = of_source.counts;
        println!(
            "{source}: {} rows, {} cases, {} of {} weakenings found, {} of {} others quiet, {} from documentation",
            of_source.rows.len(),
            counts.cases,
            counts.found,
            counts.weakenings,
            counts.kept_quiet,
            counts.quiet,
            counts.documented
        );
    }
    let failing: Vec<String> = report
        .failing()
        .map(|(case, tried)| {
            let label = case.label.as_str();
            format!("{case} ({label}): {}: {}", tried.verdict.as_str(), tried.happened())
        })
        .collect();
    assert!(failing.is_empty(), "{} cases:\n{}", failing.len(), failing.join("\n"));
}

#[test]
fn every_row_has_a_case_that_fires_and_one_that_stays_quiet() {
    let cases = built_in().unwrap();
    let rows_of = |is_weakening: bool| -> BTreeSet<&str> {
        let cases = cases.iter().filter(|case| (case.label == Label::Weakening) == is_weakening);
        cases.filter_map(|case| case.row.map(|row| row.id)).collect()
    };
    let (fire, stay_quiet) = (rows_of(true), rows_of(false));
    let sure: BTreeSet<&str> = sure_rows().map(|row| row.id).collect();
    // Whoever makes one of them speak takes it off the list.
    let mute: BTreeSet<&str> = WITHOUT_DIRECTION.iter().chain(WITHOUT_DATASTORE).copied().collect();
    let silent: BTreeSet<&str> = sure.difference(&fire).copied().collect();
    assert_eq!(silent, mute, "rows without a weakening");
    let loud: Vec<&&str> = sure.difference(&stay_quiet).collect();
    assert!(loud.is_empty(), "rows without a case that must stay quiet: {loud:?}");
}

#[test]
fn the_order_of_arrival_decides_nothing() {
    let cases = built_in().unwrap();
    let (pairs, disagreements) = order::pairs(&cases);
    println!("{pairs} pairs of a weakening and what restores it");
    let told: Vec<String> = disagreements
        .iter()
        .map(|it| {
            let (one, other) = (it.weakening, it.hardening);
            format!(
                "{one}\n  {other}\n  in order {:?}\n  in reverse {:?}",
                it.in_order, it.in_reverse
            )
        })
        .collect();
    assert!(told.is_empty(), "{} pairs:\n{}", told.len(), told.join("\n"));
    assert!(pairs >= 100, "only {pairs} pairs of a weakening and what restores it");
}
