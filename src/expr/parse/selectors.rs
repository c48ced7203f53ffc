//! The part of the grammar that profiles alone have: selectors and their matchers.

use std::ops::Range;

use super::Parser;
use crate::expr::ast::Expr;
use crate::expr::ast::MatcherExpr;
use crate::expr::ast::Node;
use crate::expr::lex::Token;
use crate::expr::selector::MatchOperator;

impl Parser<'_> {
    /// `name{…}`, or `{"name", …}` for names that are no plain words.
    pub(super) fn selector(&mut self, name: Option<(String, Range<usize>)>) -> Expr {
        let open = self.span();
        let start = name.as_ref().map_or(open.start, |(_, span)| span.start);
        let mut name = name.map(|(name, _)| name);
        let mut matchers = Vec::new();
        self.advance();
        while !matches!(self.peek(), Token::BraceClose | Token::End) {
            let before = self.at;
            self.selector_item(&mut name, &mut matchers);
            match self.peek() {
                Token::Comma => self.advance(),
                Token::BraceClose | Token::End => {}
                _ => {
                    self.expected("`,` or `}`");
                    while !matches!(self.peek(), Token::Comma | Token::BraceClose | Token::End) {
                        self.advance();
                    }
                    if *self.peek() == Token::Comma {
                        self.advance();
                    }
                }
            }
            debug_assert!(self.at > before, "the matcher loop always moves on");
        }
        let end = self.span().end;
        if *self.peek() == Token::End {
            self.fault("unclosed", open, "`{` without a `}`", "opened here");
        } else {
            self.advance();
        }
        let Some(name) = name else {
            self.fault(
                "unexpected-token",
                start..end,
                "selector without a metric name",
                "selects every metric",
            );
            self.last_help("write the name before the `{`, or quoted inside");
            return Expr { node: Node::Broken(Vec::new()), span: start..end };
        };
        self.node(Node::Selector { name, matchers }, start..end)
    }

    fn selector_item(&mut self, name: &mut Option<String>, matchers: &mut Vec<MatcherExpr>) {
        let span = self.span();
        let label = match self.peek().clone() {
            // The keywords are good label names.
            Token::Name | Token::Or | Token::Default => self.written(&span),
            Token::Text(text) => text,
            _ => {
                self.expected("a label name");
                if !matches!(self.peek(), Token::Comma | Token::BraceClose) {
                    self.advance();
                }
                return;
            }
        };
        let quoted = matches!(self.peek(), Token::Text(_));
        self.advance();
        let operator = match self.peek() {
            Token::Equal => MatchOperator::Equal,
            Token::NotEqual => MatchOperator::NotEqual,
            Token::Matches => MatchOperator::Matches,
            Token::NotMatches => MatchOperator::NotMatches,
            _ if quoted && name.is_none() => {
                *name = Some(label);
                return;
            }
            _ => return self.expected("one of `=` `!=` `=~` `!~` after a label name"),
        };
        self.advance();
        let value_span = self.span();
        match self.peek().clone() {
            Token::Text(value) => {
                self.advance();
                matchers.push(MatcherExpr { label, operator, value, value_span });
            }
            Token::Wrong => self.advance(),
            _ => self.expected("a quoted value"),
        }
    }
}
