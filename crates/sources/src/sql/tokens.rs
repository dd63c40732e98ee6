//! The tokens of one statement, read from the left.

use sqlparser::tokenizer::{Token, Whitespace, Word};

/// A place in the tokens of one statement, without white space and comments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens<'t> {
    tokens: &'t [&'t Token],
}

/// Whether a token says nothing.
pub(super) fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_) | Token::EOF)
}

/// The text of a string of any kind.
pub(super) fn string_text(token: &Token) -> Option<&str> {
    match token {
        Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::NationalStringLiteral(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::SingleQuotedRawStringLiteral(text)
        | Token::TripleSingleQuotedString(text)
        | Token::TripleDoubleQuotedString(text) => Some(text),
        Token::DollarQuotedString(text) => Some(&text.value),
        _ => None,
    }
}

/// A token without its quotes.
pub(super) fn bare(token: &Token) -> String {
    match token {
        Token::Word(word) => word.value.clone(),
        Token::Number(number, _) => number.clone(),
        Token::Whitespace(Whitespace::Space) => " ".to_owned(),
        other => string_text(other).map_or_else(|| other.to_string(), str::to_owned),
    }
}

impl<'t> Tokens<'t> {
    pub(super) fn new(tokens: &'t [&'t Token]) -> Self {
        Self { tokens }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(super) fn peek(&self) -> Option<&'t Token> {
        self.tokens.first().copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<&'t Token> {
        self.tokens.get(ahead).copied()
    }

    pub(super) fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// The word that comes next, if it is one without quotes.
    pub(super) fn word(&self) -> Option<&'t str> {
        self.word_at(0)
    }

    fn word_at(&self, ahead: usize) -> Option<&'t str> {
        match self.tokens.get(ahead)? {
            Token::Word(Word { value, quote_style: None, .. }) => Some(value),
            _ => None,
        }
    }

    /// Whether these words come next; words are parted by one blank.
    pub(super) fn is(&self, phrase: &str) -> bool {
        phrase
            .split(' ')
            .enumerate()
            .all(|(at, word)| self.word_at(at).is_some_and(|next| next.eq_ignore_ascii_case(word)))
    }

    /// Takes these words, if they come next.
    pub(super) fn eat(&mut self, phrase: &str) -> bool {
        let is_next = self.is(phrase);
        if is_next {
            self.tokens = &self.tokens[phrase.split(' ').count()..];
        }
        is_next
    }

    /// Takes the first of these phrases that comes next.
    pub(super) fn eat_any(&mut self, phrases: &[&'static str]) -> Option<&'static str> {
        phrases.iter().copied().find(|phrase| self.eat(phrase))
    }

    pub(super) fn eat_token(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    /// A name of one or more parts joined by dots, unquoted: `db.schema.table`, `*.*`.
    pub(super) fn name(&mut self) -> Option<String> {
        let mut name = self.name_part()?;
        while self.peek() == Some(&Token::Period) {
            self.next();
            name.push('.');
            name.push_str(&self.name_part()?);
        }
        Some(name)
    }

    fn name_part(&mut self) -> Option<String> {
        let part = match self.peek()? {
            token @ (Token::Word(_) | Token::Mul | Token::Placeholder(_)) => bare(token),
            token => string_text(token)?.to_owned(),
        };
        self.next();
        Some(part)
    }

    /// An account: a name, or MySQL's `'user'@'host'` as `user@host`.
    pub(super) fn account(&mut self) -> Option<String> {
        let mut name = self.name()?;
        // MySQL's dialect takes `@` for a part of a word, and for the beginning of one.
        if name.ends_with('@') && self.peek().is_some_and(|token| string_text(token).is_some()) {
            name.push_str(&self.name_part()?);
            return Some(name);
        }
        match self.peek() {
            Some(Token::AtSign) => {
                self.next();
                name.push('@');
                name.push_str(&self.name_part()?);
            }
            Some(Token::Word(word)) if word.quote_style.is_none() && word.value == "@" => {
                self.next();
                name.push('@');
                name.push_str(&self.name_part()?);
            }
            Some(Token::Word(word))
                if word.quote_style.is_none() && word.value.starts_with('@') =>
            {
                self.next();
                name.push_str(&word.value);
                while self.eat_token(&Token::Period) {
                    name.push('.');
                    name.push_str(&self.name_part()?);
                }
            }
            _ => {}
        }
        Some(name)
    }

    /// Names parted by commas.
    pub(super) fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(name) = self.name() {
            names.push(name);
            if !self.eat_token(&Token::Comma) {
                break;
            }
        }
        names
    }

    /// What stands in the parentheses that come next, which are taken.
    pub(super) fn parenthesised(&mut self) -> Option<Self> {
        if self.peek() != Some(&Token::LParen) {
            return None;
        }
        let end = self.position(1, |token, depth| depth == 0 && *token == Token::RParen)?;
        let inside = Self { tokens: &self.tokens[1..end] };
        self.tokens = &self.tokens[end + 1..];
        Some(inside)
    }

    /// The index of the first token from `from` on that fits; `depth` counts the parentheses opened since.
    fn position(&self, from: usize, fits: impl Fn(&Token, usize) -> bool) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(from) {
            if fits(token, depth) {
                return Some(at);
            }
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }

    /// Takes what stands before the first of these words outside of parentheses; all, if there is none of them.
    pub(super) fn before(&mut self, words: &[&str]) -> Self {
        let is_end = |token: &Token, depth: usize| {
            depth == 0
                && matches!(token, Token::Word(Word { value, quote_style: None, .. })
                    if words.iter().any(|word| value.eq_ignore_ascii_case(word)))
        };
        let end = self.position(0, is_end).unwrap_or(self.tokens.len());
        let (before, after) = self.tokens.split_at(end);
        self.tokens = after;
        Self { tokens: before }
    }

    /// Goes behind the first place outside of parentheses where these words stand.
    pub(super) fn skip_past(&mut self, phrase: &str) -> bool {
        let mut ahead = *self;
        let mut depth = 0_usize;
        loop {
            if depth == 0 && ahead.eat(phrase) {
                *self = ahead;
                return true;
            }
            match ahead.next() {
                None => return false,
                Some(Token::LParen) => depth += 1,
                Some(Token::RParen) => depth = depth.saturating_sub(1),
                Some(_) => {}
            }
        }
    }

    /// Whether these words stand somewhere outside of parentheses.
    pub(super) fn holds(mut self, phrase: &str) -> bool {
        self.skip_past(phrase)
    }

    /// The parts between commas outside of parentheses.
    pub(super) fn split_commas(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = *self;
        while let Some(at) = rest.position(0, |token, depth| depth == 0 && *token == Token::Comma) {
            parts.push(Self { tokens: &rest.tokens[..at] });
            rest = Self { tokens: &rest.tokens[at + 1..] };
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
        parts
    }

    /// The tokens joined by blanks, without quotes.
    pub(super) fn joined(&self) -> String {
        self.tokens.iter().map(|token| bare(token)).collect::<Vec<_>>().join(" ")
    }

    /// The tokens with nothing between them, without quotes.
    pub(super) fn glued(&self) -> String {
        self.tokens.iter().map(|token| bare(token)).collect()
    }

    pub(super) fn as_slice(&self) -> &'t [&'t Token] {
        self.tokens
    }
}
