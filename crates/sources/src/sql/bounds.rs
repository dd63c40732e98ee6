//! Which statements are small enough to be given to the parser.
//!
//! Its trees are as deep as their operators are many, and it tries some nestings in two ways, and what is in them again in
//! two. So both are counted before: a statement of an attacker costs a log no more than one of a program.

use sqlparser::tokenizer::{Token, Word};

use super::tokens;

/// Operators of one expression: a tree of them is walked and dropped on the stack.
const OPERATORS_MAX: u32 = 400;

/// Parentheses, subqueries and operands inside each other.
pub(super) const NESTING_MAX: usize = 40;

/// What may be tried: a call, counted double for each call around it.
const TRIES_MAX: u64 = 1 << 15;

/// A parenthesis, bracket or `CASE` that is open.
struct Open {
    is_case: bool,
    operators: u32,
    /// How often the parser may come by here.
    tries: u64,
}

#[derive(Default)]
struct Count {
    open: Vec<Open>,
    outermost: u32,
    operators: u32,
    tries: u64,
}

impl Count {
    fn push(&mut self, is_case: bool, factor: u64) {
        let around = self.open.last().map_or(1, |open| open.tries);
        let tries = around.saturating_mul(factor);
        self.tries = self.tries.saturating_add(if factor > 1 { tries } else { 0 });
        self.open.push(Open { is_case, operators: 0, tries });
    }

    /// Closes a parenthesis with whatever is open in it, or a `CASE`.
    fn close(&mut self, is_case: bool) -> bool {
        if is_case && !self.open.last().is_some_and(|open| open.is_case) {
            // `END` ends other things, too.
            return true;
        }
        while let Some(inner) = self.open.pop() {
            self.operators -= inner.operators;
            if inner.is_case == is_case {
                return true;
            }
        }
        false
    }

    fn operators_here(&mut self) -> &mut u32 {
        self.open.last_mut().map_or(&mut self.outermost, |open| &mut open.operators)
    }
}

/// Whether parentheses are closed, and expressions short and flat enough to be read.
pub(super) fn are_kept(tokens: &[&Token]) -> bool {
    let mut count = Count::default();
    let mut before: Option<&str> = None;
    for token in tokens {
        let word = match token {
            Token::Word(Word { value, quote_style: None, .. }) => Some(value.as_str()),
            _ => None,
        };
        let is = |text: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(text));
        match token {
            Token::LParen => count.push(false, factor(before)),
            Token::LBracket => count.push(false, 2),
            Token::RParen | Token::RBracket if !count.close(false) => return false,
            Token::RParen | Token::RBracket => {}
            Token::Comma => {
                // What stands between commas is an expression of its own.
                let here = std::mem::take(count.operators_here());
                count.operators -= here;
            }
            _ if is("CASE") => count.push(true, 2),
            _ if is("END") => {
                count.close(true);
            }
            _ if is("INTERVAL")
                && before.is_some_and(|word| word.eq_ignore_ascii_case("INTERVAL")) =>
            {
                return false;
            }
            token if is_operator(token) => {
                *count.operators_here() += 1;
                count.operators += 1;
            }
            _ => {}
        }
        before = word;
        if count.operators > OPERATORS_MAX
            || count.tries > TRIES_MAX
            || count.open.len() > NESTING_MAX
        {
            return false;
        }
    }
    count.open.is_empty()
}

/// How often the parser may try what stands in a parenthesis behind this word.
fn factor(before: Option<&str>) -> u64 {
    const NO_CALL: [&str; 28] = [
        "AND", "OR", "NOT", "IN", "EXISTS", "ANY", "ALL", "SOME", "FROM", "JOIN", "ON", "WHERE",
        "HAVING", "SELECT", "AS", "VALUES", "USING", "BY", "UNION", "WHEN", "THEN", "ELSE", "INTO",
        "TABLE", "WITH", "SET", "KEY", "EXCEPT",
    ];
    let Some(word) = before else { return 1 };
    if NO_CALL.iter().any(|other| word.eq_ignore_ascii_case(other)) {
        return 1;
    }
    let is_cast =
        ["CAST", "TRY_CAST", "CONVERT"].iter().any(|cast| word.eq_ignore_ascii_case(cast));
    if is_cast { 4 } else { 2 }
}

fn is_operator(token: &Token) -> bool {
    const WORDS: [&str; 18] = [
        "AND",
        "OR",
        "XOR",
        "NOT",
        "IS",
        "LIKE",
        "ILIKE",
        "RLIKE",
        "REGEXP",
        "SIMILAR",
        "BETWEEN",
        "IN",
        "COLLATE",
        "AT",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "DIV",
    ];
    match token {
        Token::Word(Word { value, quote_style: None, .. }) => {
            value.len() <= 9 && WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
        }
        Token::Word(_)
        | Token::Number(..)
        | Token::Period
        | Token::Placeholder(_)
        | Token::SemiColon => false,
        other => tokens::string_text(other).is_none(),
    }
}
