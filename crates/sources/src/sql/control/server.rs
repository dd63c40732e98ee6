//! What is loaded into a server, and what is said to it.

use crate::sql::effect::{Action, Effect};
use crate::sql::statement::Statement;
use crate::sql::tokens::{self, Tokens};

/// Reads what stands behind `CREATE EXTENSION` and `DROP EXTENSION`.
pub(super) fn read_extension(mut rest: Tokens<'_>, action: Action, statement: &mut Statement) {
    for name in rest.names() {
        statement.effects.push(Effect::Extension { action, name });
    }
}

/// Reads what stands behind `INSTALL PLUGIN`, `UNINSTALL SONAME` and their like.
pub(super) fn read_plugin(mut rest: Tokens<'_>, is_installed: bool, statement: &mut Statement) {
    let _ = rest.eat("IF EXISTS") || rest.eat("IF NOT EXISTS");
    for name in rest.names() {
        statement.effects.push(Effect::Plugin { name, is_installed });
    }
}

/// `ALTER INSTANCE …`.
pub(super) fn read_instance(rest: Tokens<'_>, statement: &mut Statement) {
    let operation = rest.joined().to_ascii_uppercase();
    statement.effects.push(Effect::Instance { operation });
}

/// `SECURITY LABEL [FOR provider] ON kind object IS 'label' | NULL`.
pub(super) fn read_label(mut rest: Tokens<'_>, statement: &mut Statement) -> Option<()> {
    let provider = if rest.eat("FOR") { rest.name() } else { None };
    if !rest.eat("ON") {
        return None;
    }
    let mut object = rest.before(&["IS"]);
    object.next();
    if !rest.eat("IS") {
        return None;
    }
    let label = rest.next().and_then(tokens::string_text).map(str::to_owned);
    let object = object.name()?;
    statement.effects.push(Effect::Label { provider, object, label });
    Some(())
}
