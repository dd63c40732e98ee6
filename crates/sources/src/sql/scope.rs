//! How much of its tables a query asks for.
//!
//! Whole is what returns every row of some table: a condition that is always true, a wrapper around it, a second part behind
//! `UNION` do not make it less.

use dataward_event::volume::ReadScope;
use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, Function, GroupByExpr, LimitClause, ObjectNamePart, Query,
    Select, SelectItem, SetExpr, SetOperator, TableFactor, TableWithJoins, Value,
};

/// Aggregates that make one row of many; those that collect the rows (`json_agg`, `group_concat`) leave nothing out.
const NARROWING: [&str; 24] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "variance",
    "var_pop",
    "var_samp",
    "bool_and",
    "bool_or",
    "every",
    "bit_and",
    "bit_or",
    "corr",
    "median",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "approx_count_distinct",
    "any_value",
    "count_if",
];

/// The names that a `WITH` defines, and what is behind them; the innermost last.
type Defined<'q> = Vec<(&'q str, &'q Query)>;

/// The scope of a query that reads some table.
pub(super) fn of_query(query: &Query) -> ReadScope {
    if is_whole(query, &Vec::new()) { ReadScope::Whole } else { ReadScope::Part }
}

fn is_whole<'q>(query: &'q Query, outer: &Defined<'q>) -> bool {
    let is_limited = match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
            limit.is_some() || offset.is_some() || !limit_by.is_empty()
        }
        Some(LimitClause::OffsetCommaLimit { .. }) => true,
        None => false,
    };
    if is_limited || query.fetch.is_some() || !query.pipe_operators.is_empty() {
        return false;
    }
    let mut defined = outer.clone();
    if let Some(with) = &query.with {
        // A recursive name inside its own query would lead in a circle.
        if with.recursive {
            return false;
        }
        defined.extend(with.cte_tables.iter().map(|cte| (&*cte.alias.name.value, &*cte.query)));
    }
    is_whole_body(&query.body, &defined)
}

fn is_whole_body<'q>(body: &'q SetExpr, defined: &Defined<'q>) -> bool {
    match body {
        SetExpr::Select(select) => is_whole_select(select, defined),
        SetExpr::Query(query) => is_whole(query, defined),
        SetExpr::Table(_) => true,
        SetExpr::SetOperation { left, op: SetOperator::Union, right, .. } => {
            is_whole_body(left, defined) || is_whole_body(right, defined)
        }
        _ => false,
    }
}

fn is_whole_select<'q>(select: &'q Select, defined: &Defined<'q>) -> bool {
    let is_grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(by, modifiers) => !by.is_empty() || !modifiers.is_empty(),
    };
    let is_narrowed = matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)))
        || select.top.is_some()
        || select.prewhere.is_some()
        || select.having.is_some()
        || select.qualify.is_some()
        || !select.connect_by.is_empty()
        || is_grouped
        || select.selection.as_ref().is_some_and(|condition| !is_always_true(condition))
        || select.projection.iter().any(is_aggregate_item);
    match select.from.as_slice() {
        [only] if !is_narrowed => is_whole_table(only, defined),
        _ => false,
    }
}

fn is_whole_table<'q>(table: &'q TableWithJoins, defined: &Defined<'q>) -> bool {
    if !table.joins.is_empty() {
        return false;
    }
    match &table.relation {
        TableFactor::Table { name, args: None, sample: None, partitions, .. } => {
            if !partitions.is_empty() {
                return false;
            }
            let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return true };
            // Each name sees only those before it: its own query may read a table of the same name.
            let found =
                defined.iter().rposition(|(name, _)| ident.value.eq_ignore_ascii_case(name));
            found.is_none_or(|at| is_whole(defined[at].1, &defined[..at].to_vec()))
        }
        TableFactor::Derived { subquery, sample: None, .. } => is_whole(subquery, defined),
        TableFactor::NestedJoin { table_with_joins, .. } => {
            is_whole_table(table_with_joins, defined)
        }
        _ => false,
    }
}

fn is_always_true(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => is_always_true(inner),
        Expr::Value(value) => match &value.value {
            Value::Boolean(flag) => *flag,
            Value::Number(number, _) => !number.to_string().trim_matches(['0', '.']).is_empty(),
            _ => false,
        },
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            matches!(**left, Expr::Value(_)) && left == right
        }
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            is_always_true(left) && is_always_true(right)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            is_always_true(left) || is_always_true(right)
        }
        _ => false,
    }
}

fn is_aggregate_item(item: &SelectItem) -> bool {
    match item {
        SelectItem::UnnamedExpr(expr)
        | SelectItem::ExprWithAlias { expr, .. }
        | SelectItem::ExprWithAliases { expr, .. } => is_aggregate(expr),
        SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => false,
    }
}

fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(Function { name, over: None, .. }) => {
            let Some(ObjectNamePart::Identifier(last)) = name.0.last() else { return false };
            NARROWING.iter().any(|name| last.value.eq_ignore_ascii_case(name))
        }
        Expr::Nested(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::UnaryOp { expr: inner, .. } => is_aggregate(inner),
        Expr::BinaryOp { left, right, .. } => is_aggregate(left) || is_aggregate(right),
        _ => false,
    }
}
