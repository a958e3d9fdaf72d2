//! Expressions of GitHub: what is between `${{` and `}}`, and whether its value may be written by a stranger.
//!
//! Must never take a comparison for its operands: `title == 'x'` is true or false, whatever the title says.

use std::ops::Range;

/// How deep calls and brackets are followed.
const DEEPEST: u32 = 40;

/// An expression in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression<'t> {
    /// Where it is, with the braces.
    pub range: Range<usize>,
    /// What is between them.
    pub inner: &'t str,
}

/// Returns the expressions of a text.
pub fn expressions(text: &str) -> Vec<Expression<'_>> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("${{")).map(|start| at + start) {
        let Some(end) = close(text.as_bytes(), start + 3) else { break };
        all.extend(
            text.get(start + 3..end).map(|inner| Expression { range: start..end + 2, inner: inner.trim() }),
        );
        at = end + 2;
    }
    all
}

/// Returns where the braces close; those in a text in quotes do not.
fn close(text: &[u8], from: usize) -> Option<usize> {
    let mut quoted = false;
    for (offset, byte) in text.get(from..)?.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && text.get(from + offset + 1) == Some(&b'}') => return Some(from + offset),
            _ => {}
        }
    }
    None
}

/// Calls back with every context whose text can become (a part of) the value: `github.event.issue.title`, in lower case,
/// with `*` for every index.
pub fn flows(inner: &str, each: &mut dyn FnMut(&str)) {
    let mut parser = Parser { tokens: tokens(inner), at: 0 };
    let mut out = Vec::new();
    parser.or(0, &mut out);
    while parser.at < parser.tokens.len() {
        // Not well formed for us: whatever it names may flow.
        parser.at += 1;
        parser.or(0, &mut out);
    }
    for path in &out {
        each(path);
    }
}

/// Calls back with every context that is named at all.
pub fn names(inner: &str, each: &mut dyn FnMut(&str)) {
    let tokens = tokens(inner);
    let mut parser = Parser { tokens, at: 0 };
    while parser.at < parser.tokens.len() {
        if let Some(Token::Word(_)) = parser.tokens.get(parser.at) {
            each(&parser.path());
        } else {
            parser.at += 1;
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 16] =
    ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ".", ",", "*"];

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_alphanumeric() || first == '_' || first == '-' {
            let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            let len = rest.find(|c| !word(c)).unwrap_or(rest.len());
            let (name, after) = rest.split_at(len);
            tokens.push(Token::Word(name.to_lowercase()));
            rest = after;
        } else if first == '\'' {
            let body = &rest[1..];
            let len = body.find('\'').unwrap_or(body.len());
            tokens.push(Token::Text(body[..len].to_lowercase()));
            rest = body.get(len + 1..).unwrap_or_default();
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn eat(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(is);
        is
    }

    fn or(&mut self, depth: u32, out: &mut Vec<String>) {
        self.and(depth, out);
        while self.eat("||") {
            self.and(depth, out);
        }
    }

    fn and(&mut self, depth: u32, out: &mut Vec<String>) {
        let start = out.len();
        self.compare(depth, out);
        while self.eat("&&") {
            // The left side is the value only where it is empty, zero or false.
            out.truncate(start);
            self.compare(depth, out);
        }
    }

    fn compare(&mut self, depth: u32, out: &mut Vec<String>) {
        let start = out.len();
        self.primary(depth, out);
        while ["==", "!=", "<=", ">=", "<", ">"].iter().any(|sign| self.eat(sign)) {
            self.primary(depth, out);
            out.truncate(start);
        }
    }

    fn primary(&mut self, depth: u32, out: &mut Vec<String>) {
        if depth > DEEPEST {
            self.at += 1;
            return;
        }
        let start = out.len();
        if self.eat("!") {
            self.primary(depth + 1, out);
            out.truncate(start);
            return;
        }
        if self.eat("(") {
            self.or(depth + 1, out);
            self.eat(")");
            return;
        }
        match self.tokens.get(self.at) {
            Some(Token::Word(name)) => {
                let name = name.clone();
                if matches!(self.tokens.get(self.at + 1), Some(Token::Sign("("))) {
                    self.at += 2;
                    while self.at < self.tokens.len() && !self.eat(")") {
                        let before = self.at;
                        self.or(depth + 1, out);
                        if !self.eat(",") && self.at == before {
                            self.at += 1;
                        }
                    }
                    let passes = matches!(name.as_str(), "format" | "join" | "tojson" | "fromjson" | "case");
                    if !passes {
                        out.truncate(start);
                    }
                } else {
                    let path = self.path();
                    out.push(path);
                }
            }
            Some(Token::Text(_)) => self.at += 1,
            _ => {}
        }
    }

    /// Reads a context with its properties.
    fn path(&mut self) -> String {
        let mut path = String::new();
        if let Some(Token::Word(name)) = self.tokens.get(self.at) {
            path.push_str(name);
        }
        self.at += 1;
        loop {
            if self.eat(".") {
                match self.tokens.get(self.at) {
                    Some(Token::Word(name)) => {
                        path.push('.');
                        path.push_str(name);
                    }
                    Some(Token::Sign("*")) => path.push_str(".*"),
                    _ => return path,
                }
                self.at += 1;
            } else if self.eat("[") {
                match self.tokens.get(self.at) {
                    Some(Token::Text(name)) => {
                        path.push('.');
                        path.push_str(name);
                    }
                    _ => path.push_str(".*"),
                }
                while self.at < self.tokens.len() && !self.eat("]") {
                    self.at += 1;
                }
            } else {
                return path;
            }
        }
    }
}

/// What ends a context of the event that its author writes freely, as GitHub's documentation lists them.
const FREE: [&str; 13] = [
    "title",
    "body",
    "message",
    "email",
    "name",
    "page_name",
    "ref",
    "label",
    "default_branch",
    "head_ref",
    "head_branch",
    "display_title",
    "from",
];

/// Tells whether a stranger writes this context's text: the title of an issue, the name of a branch of a fork.
pub fn is_strangers(path: &str) -> bool {
    if matches!(path, "github" | "github.event" | "github.head_ref") {
        return true;
    }
    let Some(rest) = path.strip_prefix("github.event.") else { return false };
    let parts: Vec<&str> = rest.split('.').collect();
    let last = parts.last().copied().unwrap_or_default();
    match parts.first().copied().unwrap_or_default() {
        // The whole thing holds the title.
        "issue" | "pull_request" | "comment" | "review" | "discussion" | "head_commit" | "commits"
        | "workflow_run"
            if parts.len() == 1 || (parts.len() == 2 && last == "*") =>
        {
            true
        }
        "issue" | "discussion" | "comment" | "review" | "review_comment" => {
            parts.len() == 2 && matches!(last, "title" | "body")
        }
        "pull_request" => match parts.get(1).copied() {
            Some("head") => {
                parts.len() == 2
                    || matches!(
                        last,
                        "ref" | "label" | "default_branch" | "description" | "homepage" | "repo"
                    )
            }
            _ => parts.len() == 2 && matches!(last, "title" | "body"),
        },
        "commits" | "head_commit" => matches!(last, "message" | "email" | "name"),
        "pages" => FREE.contains(&last),
        "changes" => last == "from",
        "workflow_run" => {
            matches!(last, "head_branch" | "display_title" | "message" | "email")
                || (last == "name" && rest.contains("head_commit"))
                || (last == "ref" && rest.contains("head"))
                || (last == "description" && rest.contains("head_repository"))
        }
        "merge_group" => rest.contains("head_commit") && matches!(last, "message" | "email" | "name"),
        _ => false,
    }
}

/// Tells whether this context names code that a stranger wrote: the head or the merge of a pull request.
pub fn is_strangers_code(path: &str) -> bool {
    path == "github.head_ref"
        || path == "github.event.pull_request.merge_commit_sha"
        || path == "github.event.pull_request.number"
        || path == "github.event.issue.number"
        || path == "github.event.number"
        || (path.starts_with("github.event.pull_request.head.") && path.rsplit('.').next() != Some("id"))
        || path.starts_with("github.event.workflow_run.head_")
        || path.starts_with("github.event.workflow_run.pull_requests")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strangers(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        for expression in expressions(text) {
            flows(expression.inner, &mut |path| {
                if is_strangers(path) {
                    all.push(path.to_owned());
                }
            });
        }
        all
    }

    #[test]
    fn what_a_stranger_writes() {
        for (text, path) in [
            ("${{ github.event.issue.title }}", "github.event.issue.title"),
            ("${{github.head_ref}}", "github.head_ref"),
            ("${{ github.head_ref || github.ref_name }}", "github.head_ref"),
            ("${{ github['event']['issue']['body'] }}", "github.event.issue.body"),
            ("${{ GitHub.Event.Pull_Request.Head.Ref }}", "github.event.pull_request.head.ref"),
            ("${{ format('{0}}}', github.event.comment.body) }}", "github.event.comment.body"),
            ("${{ toJSON(github.event) }}", "github.event"),
            ("${{ github.event.commits[0].message }}", "github.event.commits.*.message"),
            ("${{ github.event.commits.*.author.name }}", "github.event.commits.*.author.name"),
            ("${{ contains('a', 'b') && github.event.review.body }}", "github.event.review.body"),
            ("${{ github.event.workflow_run.head_branch }}", "github.event.workflow_run.head_branch"),
            ("${{ fromJSON(toJSON(github.event.discussion.title)) }}", "github.event.discussion.title"),
            ("a ${{ 1 }} ${{ github.event.pages[0].page_name }}", "github.event.pages.*.page_name"),
        ] {
            assert_eq!(strangers(text), [path], "{text}");
        }
    }

    #[test]
    fn what_no_stranger_writes() {
        for text in [
            "${{ github.event.pull_request.number }}",
            "${{ github.event.issue.title == 'x' }}",
            "${{ contains(github.event.comment.body, '/run') && 'yes' || 'no' }}",
            "${{ !github.head_ref }}",
            "${{ github.event.pull_request.head.sha }}",
            "${{ github.event.pull_request.base.ref }}",
            "${{ github.head_ref && 'pr' || 'push' }}",
            "${{ github.sha }} ${{ github.ref }} ${{ secrets.TITLE }}",
            "${{ hashFiles('x') }}",
            "$ {{ github.head_ref }}",
            "${{ 'github.head_ref' }}",
            "${{ github.event.workflow_run.name }}",
            "${{ startsWith(github.head_ref, 'renovate/') }}",
            "${{ github.event.workflow_run.id }}",
        ] {
            assert_eq!(strangers(text), [] as [&str; 0], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in r"(\$\{\{|\}\}|[a-z.()\[\]'&|=!<>* ,-]|github|format\(|é){0,80}") {
            for expression in expressions(&text) {
                flows(expression.inner, &mut |_| ());
                names(expression.inner, &mut |_| ());
            }
            flows(&text, &mut |_| ());
        }
    }
}
