//! Text to tokens, each with its place.
//!
//! The lexer never stops: what it cannot read becomes a fault and a [`Token::Wrong`], over which
//! the parser goes without a second complaint, so that the rest of the expression is checked in the
//! same round.

use std::ops::Range;

use crate::expr::Dialect;
use crate::expr::Fault;

/// A token. Names keep no text of their own: their place in the source is it.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// `and`, in rules.
    And,
    /// `}`
    BraceClose,
    /// `{`
    BraceOpen,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `default`, in profiles.
    Default,
    /// The end of the text.
    End,
    /// `=`, of a matcher.
    Equal,
    /// `==`
    EqualEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `=~`
    Matches,
    /// `-`
    Minus,
    /// A name: of a signal, a function, a metric, a label.
    Name,
    /// `not`, in rules.
    Not,
    /// `!=`
    NotEqual,
    /// `!~`
    NotMatches,
    /// A number, always finite.
    Number(f64),
    /// `(`
    Open,
    /// `or`
    Or,
    /// `+`
    Plus,
    /// `/`
    Slash,
    /// `*`
    Star,
    /// A quoted string, unescaped.
    Text(String),
    /// What could not be read, and is reported already.
    Wrong,
}

/// A token and its place, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// What.
    pub token: Token,
    /// Where.
    pub span: Range<usize>,
}

/// Reads the whole text. The last token is always [`Token::End`].
pub fn lex(text: &str, dialect: Dialect) -> (Vec<Placed>, Vec<Fault>) {
    let mut lexer = Lexer { text, dialect, at: 0, faults: Vec::new() };
    let mut tokens = Vec::new();
    loop {
        lexer.skip(char::is_whitespace);
        let start = lexer.at;
        let token = lexer.token();
        let end = token == Token::End;
        tokens.push(Placed { token, span: start..lexer.at });
        if end {
            return (tokens, lexer.faults);
        }
    }
}

/// The symbols, longer ones first.
const SYMBOLS: [(&str, Token); 18] = [
    ("==", Token::EqualEqual),
    ("=~", Token::Matches),
    ("!=", Token::NotEqual),
    ("!~", Token::NotMatches),
    ("<=", Token::LessEqual),
    (">=", Token::GreaterEqual),
    ("<", Token::Less),
    (">", Token::Greater),
    ("=", Token::Equal),
    ("+", Token::Plus),
    ("-", Token::Minus),
    ("*", Token::Star),
    ("/", Token::Slash),
    ("(", Token::Open),
    (")", Token::Close),
    ("{", Token::BraceOpen),
    ("}", Token::BraceClose),
    (",", Token::Comma),
];

/// Symbols of other languages, and what stands for them in this one.
const FOREIGN: [(&str, &str); 6] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("&", "write `and`"),
    ("|", "write `or`"),
    ("!", "write `not`"),
    ("%", "percentages are plain numbers: `memory_usage_percent > 90`"),
];

struct Lexer<'a> {
    text: &'a str,
    dialect: Dialect,
    at: usize,
    faults: Vec<Fault>,
}

impl Lexer<'_> {
    fn token(&mut self) -> Token {
        let Some(first) = self.peek() else { return Token::End };
        if first.is_ascii_digit() || (first == '.' && self.second_is_digit()) {
            return self.number();
        }
        if self.begins_name(first) {
            return self.name();
        }
        if first == '"' || first == '\'' {
            return self.string(first);
        }
        for (symbol, token) in SYMBOLS {
            if self.rest().starts_with(symbol) {
                self.at += symbol.len();
                return token;
            }
        }
        self.foreign(first)
    }

    fn name(&mut self) -> Token {
        let start = self.at;
        let colons = self.dialect == Dialect::Profile;
        self.skip(|c| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && colons));
        match (&self.text[start..self.at], self.dialect) {
            ("or", _) => Token::Or,
            ("and", Dialect::Rule) => Token::And,
            ("not", Dialect::Rule) => Token::Not,
            ("default", Dialect::Profile) => Token::Default,
            _ => Token::Name,
        }
    }

    /// Decimal digits with an optional fraction and exponent. Anything that clings to it (`5m`,
    /// `1.2.3`, `1e`) is part of one bad number.
    fn number(&mut self) -> Token {
        let start = self.at;
        self.skip(|c| c.is_ascii_digit());
        if self.rest().starts_with('.') {
            self.at += 1;
            self.skip(|c| c.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            let digits = self.rest()[1..].trim_start_matches(['+', '-']);
            let sign = self.rest().len() - 1 - digits.len();
            if sign <= 1 && digits.starts_with(|c: char| c.is_ascii_digit()) {
                self.at += 1 + sign;
                self.skip(|c| c.is_ascii_digit());
            }
        }
        let plain = self.at;
        self.skip(|c| c.is_alphanumeric() || c == '_' || c == '.');
        let written = &self.text[start..self.at];
        let value = if self.at == plain { written.parse::<f64>().ok() } else { None };
        match value {
            Some(value) if value.is_finite() => Token::Number(value),
            Some(_) => self.wrong(
                "bad-number",
                start,
                format!("`{written}` is too large"),
                "above 1.8e308",
            ),
            None => self.wrong(
                "bad-number",
                start,
                format!("`{written}` is not a number"),
                "not a number",
            ),
        }
    }

    fn string(&mut self, quote: char) -> Token {
        let start = self.at;
        self.at += quote.len_utf8();
        let mut value = String::new();
        while let Some(c) = self.next() {
            if c == quote {
                return Token::Text(value);
            }
            if c != '\\' {
                value.push(c);
                continue;
            }
            let escape = self.at - 1;
            match self.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(c @ ('\\' | '"' | '\'')) => value.push(c),
                Some(c) => {
                    let fault = Fault::new(
                        "bad-escape",
                        escape..self.at,
                        format!("`\\{c}` is not an escape of a string"),
                        "unknown escape",
                    );
                    self.faults.push(
                        fault.help(format!(
                            "for a backslash of a regular expression write `\\\\{c}`"
                        )),
                    );
                    value.push(c);
                }
                None => {}
            }
        }
        self.wrong("unterminated-string", start, "string without an end".into(), "begins here")
    }

    fn foreign(&mut self, first: char) -> Token {
        let start = self.at;
        for (symbol, help) in FOREIGN {
            if self.rest().starts_with(symbol) {
                self.at += symbol.len();
                let fault = Fault::new(
                    "unexpected-character",
                    start..self.at,
                    format!("unexpected `{symbol}`"),
                    "not a symbol of this language",
                );
                self.faults.push(if self.dialect == Dialect::Rule {
                    fault.help(help)
                } else {
                    fault
                });
                return Token::Wrong;
            }
        }
        self.at += first.len_utf8();
        let message = format!("unexpected `{}`", first.escape_debug());
        self.wrong("unexpected-character", start, message, "not a symbol of this language")
    }

    fn wrong(&mut self, code: &'static str, start: usize, message: String, label: &str) -> Token {
        self.faults.push(Fault::new(code, start..self.at, message, label));
        Token::Wrong
    }

    fn begins_name(&self, c: char) -> bool {
        c.is_ascii_alphabetic() || c == '_' || (c == ':' && self.dialect == Dialect::Profile)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second_is_digit(&self) -> bool {
        self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(wanted).len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[Token]) {
        let (tokens, faults) = lex(text, Dialect::Rule);
        let found: Vec<Token> = tokens.into_iter().map(|placed| placed.token).collect();
        assert_eq!(found.split_last().unwrap().1, want, "{text}");
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[track_caller]
    fn check_fault(text: &str, code: &str, span: Range<usize>) {
        let (_, faults) = lex(text, Dialect::Rule);
        assert_eq!(
            faults.iter().map(|f| (f.code, f.span.clone())).collect::<Vec<_>>(),
            [(code, span)],
            "{text}"
        );
    }

    #[test]
    fn numbers() {
        for (text, want) in
            [("1", 1.0), ("0.05", 0.05), (".5", 0.5), ("1.", 1.0), ("1e-3", 0.001), ("2E+2", 200.0)]
        {
            check(text, &[Token::Number(want)]);
        }
        check("1-e", &[Token::Number(1.0), Token::Minus, Token::Name]);
    }

    #[test]
    fn numbers_with_something_clinging_are_bad() {
        check_fault("a > 5m", "bad-number", 4..6);
        check_fault("1.2.3", "bad-number", 0..5);
        check_fault("1e", "bad-number", 0..2);
        check_fault("1e999", "bad-number", 0..5);
        check_fault("1_000", "bad-number", 0..5);
    }

    #[test]
    fn longer_symbols_win() {
        check(
            "<= < =~ = ==",
            &[Token::LessEqual, Token::Less, Token::Matches, Token::Equal, Token::EqualEqual],
        );
    }

    #[test]
    fn strings_are_unescaped() {
        check(r#""a\"b\\.\n""#, &[Token::Text("a\"b\\.\n".into())]);
        check("'x\"y'", &[Token::Text("x\"y".into())]);
        check_fault(r#""a\.b""#, "bad-escape", 2..4);
        check_fault("x \"é", "unterminated-string", 2..5);
    }

    #[test]
    fn words_belong_to_a_dialect() {
        check("and default", &[Token::And, Token::Name]);
        let (tokens, _) = lex("and default job:hits", Dialect::Profile);
        let found: Vec<Token> = tokens.into_iter().map(|placed| placed.token).collect();
        assert_eq!(found, [Token::Name, Token::Default, Token::Name, Token::End]);
    }

    #[test]
    fn symbols_of_other_languages_are_named_with_ours() {
        let (_, faults) = lex("a && b || !c", Dialect::Rule);
        let helps: Vec<_> = faults.iter().filter_map(|f| f.help.as_deref()).collect();
        assert_eq!(helps, ["write `and`", "write `or`", "write `not`"]);
        check_fault("a ≤ b", "unexpected-character", 2..5);
    }
}
