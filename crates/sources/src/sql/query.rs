//! Statements of data: the tables that they touch, told by the parser's tree.

use std::borrow::Cow;
use std::ops::ControlFlow;

use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::volume::ReadScope;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, ObjectNamePart,
    Query, SetExpr, Statement as Tree, TableFactor, Value, Visit, Visitor,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use super::bounds::{self, NESTING_MAX};
use super::command::Command;
use super::effect::{Effect, Scope};
use super::scope;
use super::statement::{self, Dialect, Statement};
use super::tokens::{self, Tokens};
use crate::act::Act;

/// Commands whose tables only a grammar finds.
const OF_DATA: [&str; 13] = [
    "SELECT", "WITH", "TABLE", "VALUES", "FROM", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE",
    "CALL", "DO", "EXPLAIN",
];

/// Functions that reach protection or leave the database, without their schema.
const WATCHED: [&str; 18] = [
    "audit_log_filter_remove_user",
    "audit_log_filter_remove_filter",
    "audit_log_filter_set_user",
    "audit_log_filter_set_filter",
    "audit_log_filter_flush",
    "pg_reload_conf",
    "pg_read_file",
    "pg_read_binary_file",
    "pg_ls_dir",
    "lo_export",
    "lo_import",
    "query_export_to_s3",
    "table_import_from_s3",
    "dblink",
    "dblink_connect",
    "dblink_exec",
    "load_file",
    "set_config",
];

/// Reads a statement of data; of any other command there is no more to know than its name.
pub(super) fn read(
    tokens: Vec<TokenWithSpan>,
    command: Command,
    dialect: Dialect,
) -> Option<Statement> {
    let mut statement = Statement::new(command);
    if !OF_DATA.contains(&&*statement.command) {
        return Some(statement);
    }
    // PL/pgSQL of a DO block is another language.
    if statement.command == "DO" && dialect == Dialect::Postgres {
        let body = tokens.iter().find_map(|token| tokens::string_text(&token.token));
        statement.effects = body.map(executed).unwrap_or_default();
        return Some(statement);
    }
    if statement.command == "TABLE" {
        let words: Vec<&Token> = tokens.iter().map(|token| &token.token).collect();
        return read_table(&words, statement);
    }
    let tree = parse(tokens, dialect)?;
    describe(&tree, dialect, &mut statement);
    Some(statement)
}

/// What a block of PL/pgSQL does by `EXECUTE '…'`: of its own words nothing is read.
fn executed(body: &str) -> Vec<Effect> {
    let Ok(tokens) = Tokenizer::new(Dialect::Postgres.grammar(), body).tokenize() else {
        return Vec::new();
    };
    let words: Vec<&Token> = tokens.iter().filter(|token| !tokens::is_blank(token)).collect();
    let texts = words.windows(2).filter_map(|pair| {
        let is_execute =
            matches!(pair[0], Token::Word(word) if word.value.eq_ignore_ascii_case("EXECUTE"));
        tokens::string_text(pair[1]).filter(|_| is_execute)
    });
    texts.flat_map(inner_effects).collect()
}

/// What a statement inside a text does. A text inside a text inside a text is nobody's.
fn inner_effects(text: &str) -> Vec<Effect> {
    let upper = text.to_ascii_uppercase();
    let is_nested = upper.trim_start().starts_with("DO") || upper.contains("DBLINK");
    let inner = if is_nested { None } else { statement::read(text, Dialect::Postgres) };
    inner.map(|inner| inner.effects).unwrap_or_default()
}

/// `TABLE t` is `SELECT * FROM t`; the parser does not know it everywhere.
fn read_table(tokens: &[&Token], mut statement: Statement) -> Option<Statement> {
    let words: Vec<&Token> =
        tokens.iter().copied().filter(|token| !tokens::is_blank(token)).collect();
    let mut rest = Tokens::new(&words);
    if !rest.eat("TABLE") {
        return None;
    }
    rest.eat("ONLY");
    statement.add_tables([rest.name()?]);
    let is_limited = ["LIMIT", "OFFSET", "FETCH"].iter().any(|word| rest.holds(word));
    statement.scope = Some(if is_limited { ReadScope::Part } else { ReadScope::Whole });
    Some(statement)
}

/// Reads tokens that must be a query, for the statement that they are a part of.
pub(super) fn read_part(tokens: &[&Token], dialect: Dialect) -> Option<Statement> {
    let command = Command { name: Cow::Borrowed("SELECT"), act: Act::QUERY };
    let mut statement = Statement::new(command);
    if Tokens::new(tokens).is("TABLE") {
        return read_table(tokens, statement);
    }
    let tokens = tokens.iter().map(|token| TokenWithSpan::wrap((*token).clone())).collect();
    let tree = parse(tokens, dialect)?;
    describe(&tree, dialect, &mut statement);
    Some(statement)
}

fn parse(mut tokens: Vec<TokenWithSpan>, dialect: Dialect) -> Option<Tree> {
    if dialect == Dialect::Postgres {
        drop_only(&mut tokens);
    }
    let mut parser = Parser::new(dialect.grammar())
        .with_recursion_limit(NESTING_MAX)
        .with_tokens_with_locations(tokens);
    let tree = parser.parse_statement().ok()?;
    matches!(parser.peek_token_ref().token, Token::EOF | Token::SemiColon).then_some(tree)
}

/// `FROM ONLY t` is `FROM t` for us; the parser does not know it.
fn drop_only(tokens: &mut Vec<TokenWithSpan>) {
    let is = |token: &Token, words: &[&str]| {
        matches!(token, Token::Word(Word { value, quote_style: None, .. })
            if words.iter().any(|word| value.eq_ignore_ascii_case(word)))
    };
    if !tokens.iter().any(|token| is(&token.token, &["ONLY"])) {
        return;
    }
    let mut is_before_table = false;
    tokens.retain(|token| {
        if tokens::is_blank(&token.token) {
            return true;
        }
        let is_dropped = is_before_table && is(&token.token, &["ONLY"]);
        is_before_table = is(&token.token, &["FROM", "JOIN", "UPDATE"]);
        !is_dropped
    });
}

fn describe(tree: &Tree, dialect: Dialect, statement: &mut Statement) {
    if let Tree::Explain { analyze: false, .. } = tree {
        return;
    }
    let mut found = Found { dialect, ..Found::default() };
    let _ = tree.visit(&mut found);
    if let Tree::Query(query) = tree {
        if let Some(into) = select_into(&query.body) {
            statement.command = Cow::Borrowed("SELECT INTO");
            statement.destination = Some(name_text(into));
        }
        if found.written.is_none() && !found.tables.is_empty() {
            statement.scope = Some(scope::of_query(query));
        }
    }
    if let Some((command, act)) = found.written {
        statement.command = Cow::Borrowed(command);
        statement.act = act;
    } else if statement.command == "WITH" || statement.command == "FROM" {
        statement.command = Cow::Borrowed("SELECT");
    }
    statement.add_tables(found.tables);
    for effect in &found.effects {
        if let Effect::Call { function, arguments } = effect {
            export_by_call(function, arguments, dialect, statement);
        }
    }
    statement.effects.extend(found.effects);
}

/// `aws_s3.query_export_to_s3('SELECT …', …)` reads what its text says, `lo_export(id, 'file')` one large object.
fn export_by_call(
    function: &str,
    arguments: &[Option<String>],
    dialect: Dialect,
    statement: &mut Statement,
) {
    match (function, arguments) {
        ("query_export_to_s3", [Some(text), rest @ ..]) => {
            if let Some(inner) = read_text(text, dialect) {
                statement.add_tables(inner.tables);
            }
            let bucket = rest.first().cloned().flatten();
            statement.destination = Some(bucket.unwrap_or_else(|| "s3".to_owned()));
        }
        ("lo_export", [_, Some(file), ..]) => {
            statement.add_tables(["pg_largeobject".to_owned()]);
            statement.destination = Some(file.clone());
        }
        _ => return,
    }
    if !statement.tables.is_empty() {
        statement.scope = Some(ReadScope::Export);
    }
}

/// A query inside a string.
pub(super) fn read_text(text: &str, dialect: Dialect) -> Option<Statement> {
    let all = Tokenizer::new(dialect.grammar(), text).tokenize().ok()?;
    let words: Vec<&Token> = all.iter().filter(|token| !tokens::is_blank(token)).collect();
    // What stands in a string was not counted with what stands around it.
    if !bounds::are_kept(&words) {
        return None;
    }
    read_part(&words, dialect)
}

fn select_into(body: &SetExpr) -> Option<&ObjectName> {
    match body {
        SetExpr::Select(select) => select.into.as_ref().map(|into| &into.name),
        _ => None,
    }
}

/// A name as written, unquoted.
pub(super) fn name_text(name: &ObjectName) -> String {
    let mut text = String::new();
    for part in &name.0 {
        if !text.is_empty() {
            text.push('.');
        }
        match part {
            ObjectNamePart::Identifier(ident) => text.push_str(&ident.value),
            ObjectNamePart::Function(function) => text.push_str(&function.to_string()),
        }
    }
    text
}

/// What a walk through a tree finds.
struct Found {
    dialect: Dialect,
    tables: Vec<String>,
    /// The first writing statement, outermost first.
    written: Option<(&'static str, Act)>,
    effects: Vec<Effect>,
    /// The names that queries define for themselves, outermost first.
    defined: Vec<Defined>,
    /// The next relation is the name of a function.
    is_function: bool,
}

/// The names of one `WITH`.
#[derive(Default)]
struct Defined {
    names: Vec<String>,
    /// The queries behind them, by address: each sees only the names before it, unless they are recursive.
    queries: Vec<usize>,
    is_recursive: bool,
    visible: usize,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            dialect: Dialect::Postgres,
            tables: Vec::new(),
            written: None,
            effects: Vec::new(),
            defined: Vec::new(),
            is_function: false,
        }
    }
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query) as usize
}

impl Found {
    fn is_defined(&self, name: &str) -> bool {
        self.defined.iter().any(|with| {
            with.names[..with.visible].iter().any(|defined| defined.eq_ignore_ascii_case(name))
        })
    }

    fn note(&mut self, name: &ObjectName) {
        let text = name_text(name);
        let is_none = self.dialect == Dialect::MySql && text.eq_ignore_ascii_case("dual");
        if is_none || (name.0.len() == 1 && self.is_defined(&text)) {
            return;
        }
        if self.tables.len() < OBJECTS_PER_EVENT_MAX && !self.tables.contains(&text) {
            self.tables.push(text);
        }
    }

    fn note_call(&mut self, name: &ObjectName, arguments: &[FunctionArg]) {
        let Some(ObjectNamePart::Identifier(last)) = name.0.last() else { return };
        let Some(name) = WATCHED.iter().find(|name| last.value.eq_ignore_ascii_case(name)) else {
            return;
        };
        let arguments = literals(arguments);
        // Over there is here, unless another host is named.
        if *name == "dblink_exec"
            && let [Some(place), Some(text), ..] = arguments.as_slice()
            && !place.contains("host")
        {
            self.effects.extend(inner_effects(text));
        }
        if *name != "set_config" {
            self.effects.push(Effect::Call { function: (*name).to_owned(), arguments });
            return;
        }
        // What is set to a value that is computed is not told.
        if let [Some(setting), Some(value), ..] = arguments.as_slice() {
            self.effects.push(Effect::Setting {
                scope: Scope::Session,
                name: setting.clone(),
                value: Some(value.clone()),
            });
        }
    }
}

/// The arguments of a call, as far as they are literals.
fn literals(arguments: &[FunctionArg]) -> Vec<Option<String>> {
    arguments
        .iter()
        .map(|argument| {
            let (FunctionArg::Named { arg, .. }
            | FunctionArg::ExprNamed { arg, .. }
            | FunctionArg::Unnamed(arg)) = argument;
            match arg {
                FunctionArgExpr::Expr(expr) => literal(expr),
                _ => None,
            }
        })
        .collect()
}

/// The text of a literal.
fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Null | Value::Placeholder(_) => None,
            Value::Boolean(flag) => Some(flag.to_string()),
            other => Some(other.clone().into_string().unwrap_or_else(|| other.to_string())),
        },
        Expr::Cast { expr, .. } | Expr::Nested(expr) => literal(expr),
        _ => None,
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut defined = Defined::default();
        if let Some(with) = &query.with {
            defined.is_recursive = with.recursive;
            for cte in &with.cte_tables {
                defined.names.push(cte.alias.name.value.clone());
                defined.queries.push(address(&cte.query));
            }
            defined.visible = if with.recursive { defined.names.len() } else { 0 };
        }
        self.defined.push(defined);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.defined.pop();
        if let Some(outer) = self.defined.last_mut()
            && !outer.is_recursive
            && let Some(at) =
                outer.queries.iter().position(|address_of| *address_of == address(query))
        {
            outer.visible = at + 1;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(arguments), .. } => {
                self.is_function = true;
                self.note_call(name, &arguments.args);
            }
            TableFactor::Function { name, args, .. } => self.note_call(name, args),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        if !std::mem::take(&mut self.is_function) {
            self.note(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, tree: &Tree) -> ControlFlow<()> {
        let written = match tree {
            Tree::Insert(insert) if insert.replace_into => Some(("REPLACE", Act::WRITE)),
            Tree::Insert(_) => Some(("INSERT", Act::WRITE)),
            Tree::Update(_) => Some(("UPDATE", Act::UPDATE)),
            Tree::Delete(_) => Some(("DELETE", Act::DELETE)),
            Tree::Merge(_) => Some(("MERGE", Act::WRITE)),
            _ => None,
        };
        // A `WITH` that writes is visited before the statement that it serves; that one names the whole.
        self.written = written.or(self.written);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr {
            self.note_call(name, &list.args);
        }
        ControlFlow::Continue(())
    }
}

/// Whether these tokens begin a query.
pub(super) fn begins_query(token: Option<&Token>) -> bool {
    match token {
        Some(Token::LParen) => true,
        Some(token @ Token::Word(word)) if word.quote_style.is_none() => {
            let text = tokens::bare(token);
            ["SELECT", "WITH", "TABLE", "VALUES"].iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        _ => false,
    }
}
