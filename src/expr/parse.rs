//! Tokens to a tree, by operator precedence (Pratt).
//!
//! After a fault the parser goes on: what it can still read is kept under a [`Node::Broken`], so
//! that a misspelt signal behind a missing parenthesis is reported in the same round as the
//! parenthesis.

mod recovery;
mod selectors;

use std::ops::Range;

use crate::expr::DEPTH_MAX;
use crate::expr::Dialect;
use crate::expr::Fault;
use crate::expr::LENGTH_MAX;
use crate::expr::NODES_MAX;
use crate::expr::ast::Ast;
use crate::expr::ast::Binary;
use crate::expr::ast::Expr;
use crate::expr::ast::Node;
use crate::expr::ast::Unary;
use crate::expr::ast::binding;
use crate::expr::lex::Placed;
use crate::expr::lex::Token;
use crate::expr::lex::lex;

/// Reads an expression. The tree is always there; the faults beside it say whether to trust it.
pub fn parse(text: &str, dialect: Dialect) -> Ast {
    if text.len() > LENGTH_MAX {
        let fault = Fault::new(
            "too-long",
            0..text.len(),
            format!("expression of {} bytes exceeds {LENGTH_MAX}", text.len()),
            "too long",
        );
        let root = Expr { node: Node::Broken(Vec::new()), span: 0..text.len() };
        return Ast { root, dialect, faults: vec![fault] };
    }
    let (tokens, faults) = lex(text, dialect);
    let mut parser = Parser {
        text,
        dialect,
        tokens,
        at: 0,
        faults,
        depth: 0,
        nodes: 0,
        gave_up: false,
        reported: None,
    };
    let root = parser.group(&[]);
    Ast { root, dialect, faults: parser.faults }
}

struct Parser<'a> {
    text: &'a str,
    dialect: Dialect,
    tokens: Vec<Placed>,
    at: usize,
    faults: Vec<Fault>,
    depth: usize,
    nodes: usize,
    /// A limit was passed and is reported: nothing after it is read.
    gave_up: bool,
    /// Where the parser's newest fault is.
    reported: Option<usize>,
}

impl Parser<'_> {
    /// One expression up to one of the closing tokens or the end. What is left over before that is
    /// one fault, and is still read.
    fn group(&mut self, closers: &[Token]) -> Expr {
        let mut parts = vec![self.expression(0)];
        let mut reported = false;
        while *self.peek() != Token::End && !closers.contains(self.peek()) {
            if !reported {
                reported = true;
                self.left_over(closers);
            }
            if self.begins_expression() {
                parts.push(self.expression(0));
            } else {
                self.skip_one();
            }
        }
        if parts.len() == 1 && !reported {
            return parts.remove(0);
        }
        broken(parts)
    }

    fn expression(&mut self, minimum: u8) -> Expr {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            self.give_up("too-deep", format!("expression is nested deeper than {DEPTH_MAX}"));
        }
        let mut left = self.prefix();
        while !self.gave_up {
            left = match self.peek() {
                Token::Default if minimum <= binding::DEFAULT => self.default(left),
                _ => match self.infix() {
                    Some(operator) if operator.binding() >= minimum => self.binary(left, operator),
                    _ => break,
                },
            };
        }
        self.depth -= 1;
        left
    }

    fn binary(&mut self, left: Expr, operator: Binary) -> Expr {
        let operator_span = self.span();
        self.advance();
        // One tighter than itself: operators of one strength group to the left.
        let right = self.expression(operator.binding() + 1);
        let span = left.span.start..right.span.end;
        if operator.is_comparison() && self.infix().is_some_and(Binary::is_comparison) {
            return self.chain(left, right);
        }
        let (left, right) = (Box::new(left), Box::new(right));
        self.node(Node::Binary { operator, operator_span, left, right }, span)
    }

    /// `a < b < c`: one fault for the whole chain, and every operand is still visited.
    fn chain(&mut self, left: Expr, right: Expr) -> Expr {
        let second = self.span();
        let first = self.written(&(left.span.start..right.span.end));
        let middle = self.written(&right.span);
        let mut parts = vec![left, right];
        while self.infix().is_some_and(Binary::is_comparison) {
            self.advance();
            parts.push(self.expression(binding::COMPARISON + 1));
        }
        let then = self.written(&(second.start..parts[2].span.end));
        self.fault("chained-comparison", second, "comparisons do not chain", "second comparison");
        self.last_help(format!("write `{first} and {middle} {then}`"));
        broken(parts)
    }

    fn default(&mut self, operand: Expr) -> Expr {
        self.advance();
        let negative = *self.peek() == Token::Minus;
        if negative {
            self.advance();
        }
        let span = operand.span.start..self.span().end;
        if let Token::Number(number) = *self.peek() {
            self.advance();
            let value = if negative { -number } else { number };
            return self.node(Node::Default { operand: Box::new(operand), value }, span);
        }
        self.expected("a number after `default`");
        broken(vec![operand])
    }

    fn prefix(&mut self) -> Expr {
        let start = self.span();
        match self.peek().clone() {
            Token::BraceOpen if self.dialect == Dialect::Profile => self.selector(None),
            Token::Minus => self.unary(Unary::Negate),
            Token::Name => self.name(),
            Token::Not => self.unary(Unary::Not),
            Token::Number(number) => {
                self.advance();
                self.node(Node::Number(number), start)
            }
            Token::Open => self.parenthesis(),
            Token::Wrong => {
                self.advance();
                Expr { node: Node::Broken(Vec::new()), span: start }
            }
            _ => {
                self.expected(match self.dialect {
                    Dialect::Profile => "a selector or a number",
                    Dialect::Rule => "a name, a number or a function",
                });
                if !self.resumes() {
                    self.advance();
                }
                Expr { node: Node::Broken(Vec::new()), span: start }
            }
        }
    }

    fn unary(&mut self, operator: Unary) -> Expr {
        let start = self.span().start;
        self.advance();
        let operand = self.expression(operator.binding());
        let span = start..operand.span.end;
        self.node(Node::Unary { operator, operand: Box::new(operand) }, span)
    }

    fn parenthesis(&mut self) -> Expr {
        let open = self.span();
        self.advance();
        let inner = self.group(&[Token::Close]);
        self.close(open);
        inner
    }

    fn name(&mut self) -> Expr {
        let span = self.span();
        let name = self.written(&span);
        self.advance();
        match (self.dialect, self.peek()) {
            (_, Token::Open) => self.call(name, span),
            (Dialect::Profile, Token::BraceOpen) => self.selector(Some((name, span))),
            _ => self.node(Node::Name(name), span),
        }
    }

    fn call(&mut self, function: String, function_span: Range<usize>) -> Expr {
        let open = self.span();
        self.advance();
        let mut arguments = Vec::new();
        while !matches!(self.peek(), Token::Close | Token::End) {
            arguments.push(self.group(&[Token::Close, Token::Comma]));
            if *self.peek() == Token::Comma {
                self.advance();
                if *self.peek() == Token::Close {
                    self.expected("an argument after `,`");
                }
            }
        }
        let end = self.close(open);
        let span = function_span.start..end;
        self.node(Node::Call { function, function_span, arguments }, span)
    }

    /// Goes over the closing parenthesis, or reports the opening one; the end of the parenthesis.
    fn close(&mut self, open: Range<usize>) -> usize {
        let end = self.span().end;
        if *self.peek() == Token::Close {
            self.advance();
        } else if !self.gave_up {
            self.fault("unclosed", open, "`(` without a `)`", "opened here");
        }
        end
    }

    /// A complete node, counted against the limit.
    fn node(&mut self, node: Node, span: Range<usize>) -> Expr {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            self.give_up("too-long", format!("expression has more than {NODES_MAX} parts"));
        }
        Expr { node, span }
    }

    fn infix(&self) -> Option<Binary> {
        let operator = match self.peek() {
            Token::And => Binary::And,
            Token::EqualEqual => Binary::Equal,
            Token::Greater => Binary::Greater,
            Token::GreaterEqual => Binary::GreaterEqual,
            Token::Less => Binary::Less,
            Token::LessEqual => Binary::LessEqual,
            Token::Minus => Binary::Subtract,
            Token::NotEqual => Binary::NotEqual,
            Token::Or => Binary::Or,
            Token::Plus => Binary::Add,
            Token::Slash => Binary::Divide,
            Token::Star => Binary::Multiply,
            _ => return None,
        };
        (self.dialect == Dialect::Rule || !operator.is_comparison()).then_some(operator)
    }

    /// Whether the token at hand lets somebody further out go on, so that it must not be skipped.
    fn resumes(&self) -> bool {
        self.infix().is_some()
            || matches!(self.peek(), Token::Close | Token::Comma | Token::Default | Token::End)
    }

    fn begins_expression(&self) -> bool {
        match self.peek() {
            Token::Name | Token::Number(_) | Token::Open | Token::Not => true,
            Token::BraceOpen => self.dialect == Dialect::Profile,
            _ => false,
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at].span.clone()
    }

    fn written(&self, span: &Range<usize>) -> String {
        self.text[span.clone()].to_owned()
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }
}

fn broken(parts: Vec<Expr>) -> Expr {
    let start = parts.first().map_or(0, |part| part.span.start);
    let end = parts.last().map_or(0, |part| part.span.end);
    Expr { node: Node::Broken(parts), span: start..end }
}
