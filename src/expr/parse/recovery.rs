//! What the parser says of faults, and how it gets over them.

use std::ops::Range;

use super::Parser;
use crate::expr::Dialect;
use crate::expr::Fault;
use crate::expr::lex::Token;

impl Parser<'_> {
    pub(super) fn left_over(&mut self, closers: &[Token]) {
        let span = self.span();
        let written = self.written(&span);
        match self.peek() {
            Token::Wrong => {}
            Token::Close => {
                self.fault("unexpected-token", span, "`)` without a `(`", "closes nothing");
            }
            Token::Equal if self.dialect == Dialect::Rule => {
                self.fault("unexpected-token", span, "unexpected `=`", "not a comparison");
                self.last_help("write `==` to compare");
            }
            Token::BraceOpen if self.dialect == Dialect::Rule => {
                self.fault(
                    "unexpected-token",
                    span,
                    "unexpected `{`",
                    "rules know signals, not series",
                );
                self.last_help("select series in a profile");
            }
            Token::Less
            | Token::LessEqual
            | Token::Greater
            | Token::GreaterEqual
            | Token::EqualEqual
            | Token::NotEqual => {
                self.fault(
                    "unexpected-token",
                    span,
                    format!("unexpected `{written}`"),
                    "roles do not compare",
                );
            }
            _ => {
                let wanted = if closers.contains(&Token::Close) {
                    "an operator or `)`"
                } else {
                    "an operator or the end"
                };
                self.fault(
                    "unexpected-token",
                    span,
                    format!("unexpected `{written}`"),
                    format!("expected {wanted}"),
                );
            }
        }
    }

    /// Reports a limit once and skips to the end, so that nothing else is complained about.
    pub(super) fn give_up(&mut self, code: &'static str, message: String) {
        if !self.gave_up {
            self.gave_up = true;
            let span = self.span();
            self.fault(code, span, message, "from here on");
            self.last_help("split it");
        }
        self.at = self.tokens.len() - 1;
    }

    pub(super) fn expected(&mut self, what: &str) {
        if self.gave_up || *self.peek() == Token::Wrong {
            return;
        }
        let span = self.span();
        let found = match self.peek() {
            Token::End => "unexpected end".to_owned(),
            _ => format!("unexpected `{}`", self.written(&span)),
        };
        self.fault("unexpected-token", span, found, format!("expected {what}"));
    }

    /// Reports a fault, the first one at a place only: what follows from it there is noise.
    pub(super) fn fault(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        if self.reported != Some(span.start) {
            self.reported = Some(span.start);
            self.faults.push(Fault::new(code, span, message, label));
        }
    }

    pub(super) fn last_help(&mut self, help: impl Into<String>) {
        if let Some(fault) = self.faults.last_mut() {
            fault.help = Some(help.into());
        }
    }

    /// Goes over a token that nothing can be made of; over the whole braces, where braces mean
    /// nothing.
    pub(super) fn skip_one(&mut self) {
        if *self.peek() == Token::BraceOpen {
            while !matches!(self.peek(), Token::BraceClose | Token::End) {
                self.advance();
            }
        }
        self.advance();
    }
}
