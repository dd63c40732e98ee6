//! The corpus of labelled cases before the detector: everything that takes protection away is found, all else is quiet.

use std::collections::BTreeSet;

use dataward_detect::catalogue::{self, CatalogueRow, Confidence};
use dataward_simulation::corpus::case::Label;
use dataward_simulation::corpus::report::Report;
use dataward_simulation::corpus::{built_in, order};

/// Rows of which no record can raise an alarm by itself, each with the reason. They are kept and told of all the same.
const MUTE: &[(&str, &[&str])] = &[
    (
        "the datastore is gone with all that protected it: what is told is its end",
        &[
            "aws.dynamodb.table.deleted",
            "aws.s3.bucket.deleted",
            "azure.storage.account.deleted",
            "gcp.storage.bucket.deleted",
            "mongodb.database.dropped",
        ],
    ),
    (
        "what takes its place stands elsewhere: in a group, a file or a policy that the record only names",
        &[
            "aws.ec2.public_address",
            "aws.ec2.security_groups.changed",
            "aws.rds.parameter_group.changed",
            "aws.rds.security_groups.changed",
            "azure.storage.private_endpoint.deleted",
            "redis.acl_file.loaded",
        ],
    ),
    (
        "what it takes the place of is not told, and it may have been stronger or weaker",
        &[
            "atlas.audit.updated",
            "aws.s3.default_encryption.own_key",
            "aws.s3.object_lock.default_retention",
            "aws.s3.replication.removed",
        ],
    ),
    (
        "a rotation looks the same, and is what people should do",
        &[
            "aws.es.master_user.changed",
            "elasticsearch.user.password_changed",
            "gcp.cloudsql.certificate.deleted",
            "mysql.instance.keys",
        ],
    ),
    (
        "it takes nothing away: somebody uses a right, or tries to",
        &[
            "azure.cosmos.keys.listed",
            "azure.storage.keys.listed",
            "opensearch.do_not_fail_on_forbidden",
            "opensearch.security_api.called",
            "opensearch.security_index.touched",
            "postgres.function.reaching_out",
        ],
    ),
];

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
fn weakenings_are_found_and_hardly_anything_else_alarms() {
    let cases = built_in().unwrap();
    let report = Report::of(&cases);
    let counts = || report.sources.values().map(|of_source| of_source.counts);
    let (weakenings, found): (usize, usize) =
        (counts().map(|it| it.weakenings).sum(), counts().map(|it| it.found).sum());
    let (quiet, kept_quiet): (usize, usize) =
        (counts().map(|it| it.quiet).sum(), counts().map(|it| it.kept_quiet).sum());
    let documented: usize = counts().map(|it| it.documented).sum();
    println!(
        "{found} of {weakenings} weakenings found, {kept_quiet} of {quiet} others quiet, {documented} from documentation"
    );
    assert_eq!(found, weakenings);
    assert!((quiet - kept_quiet) * 100 <= quiet, "{} of {quiet} alarmed", quiet - kept_quiet);
    assert!(documented * 2 > weakenings + quiet, "most are written without a look at the rows");
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
    let mute: BTreeSet<&str> = MUTE.iter().flat_map(|(_, rows)| *rows).copied().collect();
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
