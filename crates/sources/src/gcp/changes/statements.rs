//! Statements of BigQuery that give rights, or say who sees which rows.

use std::borrow::Cow;

use dataward_event::change::Direction;

use super::iam::{Member, kind_of};
use super::{Call, Found};
use crate::catalogue_rows::gcp as rows;

pub(super) fn read(call: &Call<'_>, statement: &str, found: &mut Found) {
    match call.statement_type {
        Some("GRANT") => granted(call, statement, Direction::Weakened, found),
        Some("REVOKE") => granted(call, statement, Direction::Strengthened, found),
        Some(kind) if kind.contains("ROW_ACCESS_POLIC") => row_policy(statement, found),
        _ => {}
    }
}

/// Who gets a role by `GRANT role ON object TO "member", …`.
fn granted(call: &Call<'_>, statement: &str, direction: Direction, found: &mut Found) {
    let role = statement.split('`').nth(1).unwrap_or_default();
    for member in quoted(statement) {
        let everybody = ["allUsers", "allAuthenticatedUsers"]
            .into_iter()
            .find(|name| member.rsplit(':').next().is_some_and(|it| it.eq_ignore_ascii_case(name)));
        if let Some(everybody) = everybody {
            let opened = format!("{everybody} {role}");
            found.changes.push(&rows::BIGQUERY_GRANT, direction, opened.trim_end().to_owned());
        } else if kind_of(call, member) == Member::Foreign {
            let opened = format!("{member} {role}");
            found.changes.push(&rows::BIGQUERY_FOREIGN, direction, opened.trim_end().to_owned());
        }
    }
}

/// The texts of a statement that stand between quotes.
fn quoted(statement: &str) -> impl Iterator<Item = &str> {
    statement.split(['"', '\'']).skip(1).step_by(2)
}

/// `DROP ROW ACCESS POLICY p ON t`, `DROP ALL ROW ACCESS POLICIES ON t`, `CREATE … ROW ACCESS POLICY p ON t … FILTER USING (…)`.
fn row_policy(statement: &str, found: &mut Found) {
    let words: Vec<&str> = statement
        .split(|letter: char| letter.is_whitespace() || letter == ';')
        .filter(|word| !word.is_empty())
        .collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|it| it.eq_ignore_ascii_case(word));
    let Some(on) = (0..words.len()).find(|at| is(*at, "ON")) else { return };
    let name = |at: Option<usize>| {
        let word = at.and_then(|at| words.get(at)).unwrap_or(&"").trim_matches('`');
        word.rsplit('.').next().unwrap_or_default().to_owned()
    };
    let table = name(Some(on + 1));
    let opened = |policy: &str| Cow::<'static, str>::Owned(format!("{table} {policy}"));
    let policy = name(on.checked_sub(1));
    let row = &rows::BIGQUERY_ROW_POLICY;
    if is(0, "DROP") {
        let policy = if is(1, "ALL") { "all" } else { &*policy };
        found.changes.weakened(row, opened(policy));
        return;
    }
    let compact: String = statement.chars().filter(|letter| !letter.is_whitespace()).collect();
    // One who sees all beside others who do not is how it should be.
    let is_for_many = is(1, "OR")
        || quoted(statement).any(|it| it.starts_with("domain:") || it.contains("allAuthenticated"));
    let passes_all = is_for_many && compact.to_ascii_uppercase().contains("FILTERUSING(TRUE)");
    found.changes.flag(row, passes_all, opened(&policy));
    if !passes_all {
        // Any policy hides rows again from whoever it does not name.
        found.changes.strengthened(row, opened("all"));
    }
}
