//! Which statements are questions.

use datafusion::execution::SessionState;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as Ast;

use crate::error::QueryError;
use crate::views;

/// What may be asked, in words.
const ALLOWED: &str = "SELECT, WITH, VALUES, EXPLAIN, DESCRIBE, SHOW TABLES, SHOW COLUMNS";

/// The longest statement, in bytes: what is nested in it deeper than this allows would be too deep for the engine.
const LONGEST: usize = 64 * 1024;

/// A statement that only reads.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) statement: Statement,
    /// Its answer is rows, and not a plan or a list of columns.
    pub(crate) is_query: bool,
}

/// Reads the one statement of a text, if it is a question about views that there are.
///
/// # Errors
/// `Question`: it is none, there are several, it would change something, or it names another table.
pub(crate) fn parse(sql: &str, state: &SessionState) -> Result<Question, QueryError> {
    let unreadable = |error: datafusion::error::DataFusionError| {
        QueryError::Question(format!("the statement cannot be read: {}", error.strip_backtrace()))
    };
    if sql.len() > LONGEST {
        let text = format!("a statement has at most {LONGEST} bytes, and this one {}", sql.len());
        return Err(QueryError::Question(text));
    }
    let parsed = DFParserBuilder::new(sql).build().and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(unreadable)?;
    let (Some(statement), None) = (statements.pop_front(), statements.pop_front()) else {
        let text = "one statement is one question: give exactly one";
        return Err(QueryError::Question(text.to_owned()));
    };
    if !only_reads(&statement) {
        let text = statement.to_string();
        return Err(refused(text.split_whitespace().next().unwrap_or("it")));
    }
    let functions = state.table_functions();
    for table in state.resolve_table_references(&statement).map_err(unreadable)? {
        let is_schema = table.schema().is_some_and(|schema| schema == "information_schema");
        let is_function = functions.contains_key(table.table());
        if !is_schema && !is_function && !views::NAMES.contains(&table.table()) {
            return Err(QueryError::Question(format!(
                "there is no view {}; there are {}",
                table.table(),
                views::NAMES.join(", ")
            )));
        }
    }
    let is_query =
        matches!(&statement, Statement::Statement(ast) if matches!(**ast, Ast::Query(_)));
    Ok(Question { statement, is_query })
}

/// A statement that would change something.
pub(crate) fn refused(what: impl std::fmt::Display) -> QueryError {
    QueryError::Question(format!(
        "{what} is refused: an archive is only read. What may be asked: {ALLOWED}"
    ))
}

fn only_reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(ast) => is_question(ast),
        Statement::Explain(explain) => only_reads(&explain.statement),
        _ => false,
    }
}

fn is_question(ast: &Ast) -> bool {
    match ast {
        Ast::Explain { statement, .. } => is_question(statement),
        Ast::Query(_)
        | Ast::ExplainTable { .. }
        | Ast::ShowTables { .. }
        | Ast::ShowColumns { .. } => true,
        _ => false,
    }
}
