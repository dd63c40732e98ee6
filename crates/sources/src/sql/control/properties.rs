//! Values of settings, and Snowflake's properties: `A = b C = ('d', 'e')`.

use sqlparser::tokenizer::Token;

use crate::sql::effect::{Effect, Scope};
use crate::sql::statement::Statement;
use crate::sql::tokens::{self, Tokens};

/// The value behind a setting's name: `= x`, `TO x, y`, `:= x`; `None` for `DEFAULT`.
pub(super) fn value(mut rest: Tokens<'_>) -> Option<String> {
    let _ = rest.eat_token(&Token::Eq) || rest.eat_token(&Token::Assignment) || rest.eat("TO");
    if rest.is("DEFAULT") && rest.as_slice().len() == 1 {
        return None;
    }
    Some(match rest.as_slice() {
        [only] => tokens::bare(only),
        _ => rest.glued(),
    })
}

/// Properties as they stand, each with its values; commas between them or not.
pub(super) fn read(mut rest: Tokens<'_>) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let Some(name) = rest.word() else {
            rest.next();
            continue;
        };
        let name = name.to_ascii_uppercase();
        rest.next();
        if !rest.eat_token(&Token::Eq) {
            continue;
        }
        let values = match rest.parenthesised() {
            Some(list) => list.split_commas().iter().map(Tokens::glued).collect(),
            None => vec![one_value(&mut rest)],
        };
        found.push((name, values));
    }
    found
}

fn one_value(rest: &mut Tokens<'_>) -> String {
    let mut value = rest.name().or_else(|| rest.next().map(tokens::bare)).unwrap_or_default();
    // A number with a sign.
    if value == "-" {
        value.extend(rest.next().map(tokens::bare));
    }
    value
}

/// The value of a property, if it is a single one.
pub(super) fn single<'p>(properties: &'p [(String, Vec<String>)], name: &str) -> Option<&'p str> {
    let (_, values) = properties.iter().find(|(found, _)| found == name)?;
    values.first().map(String::as_str)
}

/// `SET a = b c = d` or `UNSET a, b` as settings.
pub(super) fn settings(
    mut rest: Tokens<'_>,
    is_set: bool,
    scope: &Scope,
    statement: &mut Statement,
) {
    if !is_set {
        for name in rest.names() {
            let scope = scope.clone();
            statement.effects.push(Effect::Setting { scope, name, value: None });
        }
        return;
    }
    for (name, values) in read(rest) {
        let value = Some(values.join(","));
        statement.effects.push(Effect::Setting { scope: scope.clone(), name, value });
    }
}
