//! Licence expressions: SPDX 2.3 annex D, and the looser ways in which manifests write licences.
//!
//! Must never take a name it does not know for one it knows.

use std::fmt;

use super::names;

/// A licence expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expression {
    /// One licence.
    Licence(Term),
    /// All of them hold.
    And(Vec<Expression>),
    /// Whoever receives it chooses one.
    Or(Vec<Expression>),
}

/// One licence of an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// The SPDX id as the list writes it, or a name that is not on the list.
    pub id: String,
    /// The exception, where there is one.
    pub exception: Option<String>,
    /// Whether the id is on SPDX's list.
    pub listed: bool,
}

/// Deeper brackets are refused.
const DEEPEST: usize = 32;
/// Longer expressions are refused.
const LONGEST: usize = 4_000;

impl Expression {
    /// Reads an expression; `None` when it is none.
    ///
    /// Understood beside SPDX: any case, `/` and `,` for `OR`, deprecated ids, and the usual names (`GPLv3`, `Apache 2`).
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = text.trim();
        if let Some(id) = names::loose(text) {
            return Some(Self::of_id(&id));
        }
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        let whole = parser.alternatives(0)?;
        (parser.at == parser.tokens.len()).then_some(whole)
    }

    /// Returns the expression of one id as the names table has it, which may hold an exception.
    fn of_id(id: &str) -> Self {
        match id.split_once(" WITH ") {
            Some((id, exception)) => {
                Self::Licence(Term { id: id.to_owned(), exception: Some(exception.to_owned()), listed: true })
            }
            None => Self::Licence(Term::new(id)),
        }
    }

    /// Returns a licence by a name that is no SPDX expression, or by none.
    pub fn named(name: &str) -> Self {
        Self::Licence(Term { id: name.trim().to_owned(), exception: None, listed: false })
    }

    /// Returns the alternatives of several expressions; `None` when there are none.
    pub fn any(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        joined(all, Self::Or)
    }

    /// Returns several expressions that all hold; `None` when there are none.
    pub fn all(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        joined(all, Self::And)
    }

    /// Returns every licence in it.
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Self::Licence(term) => vec![term],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::terms).collect(),
        }
    }
}

fn joined(
    all: impl IntoIterator<Item = Expression>,
    join: fn(Vec<Expression>) -> Expression,
) -> Option<Expression> {
    let mut parts: Vec<Expression> = Vec::new();
    for part in all {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(join(parts)),
    }
}

impl Term {
    /// Returns a licence by its id or by a name that is not on the list.
    pub fn new(name: &str) -> Self {
        match names::id(name) {
            Some(id) => Self { id, exception: None, listed: true },
            None => Self { id: name.to_owned(), exception: None, listed: false },
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        match &self.exception {
            Some(exception) => write!(f, " WITH {exception}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Licence(term) => return write!(f, "{term}"),
            Self::And(parts) => (parts, " AND "),
            Self::Or(parts) => (parts, " OR "),
        };
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                f.write_str(word)?;
            }
            match part {
                Self::Licence(term) => write!(f, "{term}")?,
                _ => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    And,
    Or,
    With,
    Name(&'a str),
}

fn word(word: &str) -> Option<Token<'_>> {
    let same = |other| word.eq_ignore_ascii_case(other);
    match word {
        "" => None,
        "&" | "&&" => Some(Token::And),
        "|" | "||" => Some(Token::Or),
        _ if same("and") => Some(Token::And),
        _ if same("or") => Some(Token::Or),
        _ if same("with") => Some(Token::With),
        _ => Some(Token::Name(word)),
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let mark = match c {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            '/' | ',' | ';' => Some(Token::Or),
            c if c.is_whitespace() => None,
            _ => continue,
        };
        tokens.extend(text.get(from..at).and_then(word));
        tokens.extend(mark);
        from = at + c.len_utf8();
    }
    tokens.extend(text.get(from..).and_then(word));
    tokens
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, token: Token<'_>) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    fn alternatives(&mut self, depth: usize) -> Option<Expression> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.take(Token::Or) {
            // `MIT, or Apache-2.0`
            self.take(Token::Or);
            parts.push(self.conjunction(depth)?);
        }
        Expression::any(parts)
    }

    fn conjunction(&mut self, depth: usize) -> Option<Expression> {
        let mut parts = vec![self.one(depth)?];
        while self.take(Token::And) {
            parts.push(self.one(depth)?);
        }
        Expression::all(parts)
    }

    fn one(&mut self, depth: usize) -> Option<Expression> {
        if depth > DEEPEST {
            return None;
        }
        if self.take(Token::Open) {
            let inner = self.alternatives(depth + 1)?;
            return self.take(Token::Close).then_some(inner);
        }
        let mut name = self.name()?.to_owned();
        // `Apache License 2.0` inside an expression: words up to the next operator are one name.
        let mut words = 1;
        while let Some(Token::Name(word)) = self.peek() {
            name.push(' ');
            name.push_str(word);
            self.at += 1;
            words += 1;
        }
        let known = names::loose(&name).or_else(|| names::id(&name));
        let mut term = match known.as_deref().map(Expression::of_id) {
            Some(Expression::Licence(term)) => term,
            _ if words == 1 => Term::new(&name),
            _ => return None,
        };
        if self.take(Token::With) {
            let exception = self.name()?;
            term.exception = Some(names::exception(exception).unwrap_or_else(|| exception.to_owned()));
        }
        Some(Expression::Licence(term))
    }

    fn name(&mut self) -> Option<&'a str> {
        let Some(Token::Name(name)) = self.peek() else { return None };
        self.at += 1;
        let plain = |c: char| c.is_alphanumeric() || "-.+:_".contains(c);
        name.chars().all(plain).then_some(name)
    }
}
