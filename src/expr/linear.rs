//! The checker of profiles: an expression over series must be linear, because counters are added as
//! *increases*.
//!
//! A counter may restart alone, so its increase is taken per series and before any sum. That is
//! exact only where the expression is Σ coefficient · series. So [`Selection::flatten`] gives the
//! terms, not a number, and whatever is not linear is refused when the profile loads.

use std::fmt;

use crate::expr::Fault;
use crate::expr::ast::Ast;
use crate::expr::ast::Binary;
use crate::expr::ast::Expr;
use crate::expr::ast::MatcherExpr;
use crate::expr::ast::Node;
use crate::expr::ast::Unary;
use crate::expr::in_order;
use crate::expr::selector::Selector;

/// A checked, linear expression over selectors. It prints as its canonical text.
#[derive(Clone, Debug)]
pub struct Selection {
    source: Expr,
    root: Linear,
    selectors: Vec<Selector>,
}

#[derive(Clone, Debug)]
enum Linear {
    Add(Box<Self>, Box<Self>),
    Default(Box<Self>, f64),
    FirstPresent(Box<Self>, Box<Self>),
    Scale(f64, Box<Self>),
    /// All matching series of the selector at this index.
    Series(usize),
}

/// A selection over the series of one page: Σ coefficient · series + constant.
#[derive(Clone, Debug, PartialEq)]
pub struct Flat<S> {
    /// The series found.
    pub terms: Vec<FlatTerm<S>>,
    /// The sum of the defaults that stand for missing series.
    pub constant: f64,
}

/// A series of a [`Flat`] sum.
#[derive(Clone, Debug, PartialEq)]
pub struct FlatTerm<S> {
    /// The series.
    pub series: S,
    /// What its value is multiplied with.
    pub coefficient: f64,
    /// The value that it had while it was missing, in its own unit, where a `default` says so.
    pub counts_from: Option<f64>,
}

/// Checks a parsed expression of a profile.
///
/// # Errors
/// Every fault, those of the parser included, in the order of their places.
pub fn check_selection(ast: &Ast) -> Result<Selection, Vec<Fault>> {
    let mut checker = Checker { faults: Vec::new(), selectors: Vec::new() };
    let root = checker.linear(&ast.root);
    match root {
        Some(root) if ast.faults.is_empty() && checker.faults.is_empty() => {
            Ok(Selection { source: ast.root.clone(), root, selectors: checker.selectors })
        }
        _ => Err(in_order(&ast.faults, checker.faults)),
    }
}

impl Selection {
    /// The selectors in the order of the text. Their places in this list are what [`Self::flatten`]
    /// asks for.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// The sum over the series that `found` gives for each selector; none if a part of it is
    /// missing.
    ///
    /// `defaults` says whether `default N` holds: a target that shows nothing of the product is not
    /// at zero, it is unknown.
    pub fn flatten<S: Clone>(
        &self,
        found: &dyn Fn(usize) -> Vec<S>,
        defaults: bool,
    ) -> Option<Flat<S>> {
        self.root.flatten(found, defaults)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Linear {
    fn flatten<S: Clone>(
        &self,
        found: &dyn Fn(usize) -> Vec<S>,
        defaults: bool,
    ) -> Option<Flat<S>> {
        match self {
            Self::Add(left, right) => {
                let mut sum = left.flatten(found, defaults)?;
                let right = right.flatten(found, defaults)?;
                sum.terms.extend(right.terms);
                sum.constant += right.constant;
                Some(sum)
            }
            Self::Default(operand, value) => match operand.flatten(found, defaults) {
                None => defaults.then(|| Flat { terms: Vec::new(), constant: *value }),
                Some(mut present) => {
                    for term in &mut present.terms {
                        // A coefficient of zero makes the value worthless, whatever the series
                        // counts from.
                        let own = value / term.coefficient;
                        term.counts_from = (defaults && own.is_finite()).then_some(own);
                    }
                    Some(present)
                }
            },
            Self::FirstPresent(first, second) => {
                first.flatten(found, defaults).or_else(|| second.flatten(found, defaults))
            }
            Self::Scale(factor, operand) => {
                let mut scaled = operand.flatten(found, defaults)?;
                // Adding zero turns a negative zero into the plain one.
                scaled.constant = scaled.constant * factor + 0.0;
                for term in &mut scaled.terms {
                    term.coefficient *= factor;
                }
                Some(scaled)
            }
            Self::Series(selector) => {
                let terms: Vec<_> = found(*selector)
                    .into_iter()
                    .map(|series| FlatTerm { series, coefficient: 1.0, counts_from: None })
                    .collect();
                (!terms.is_empty()).then_some(Flat { terms, constant: 0.0 })
            }
        }
    }
}

/// A checked part: numbers are folded on the way.
enum Part {
    Linear(Linear),
    Number(f64),
}

struct Checker {
    faults: Vec<Fault>,
    selectors: Vec<Selector>,
}

impl Checker {
    fn linear(&mut self, expr: &Expr) -> Option<Linear> {
        match self.part(expr)? {
            Part::Linear(linear) => Some(linear),
            Part::Number(_) => {
                self.fault("not-linear", expr, "a number is not a series", "expected a selector");
                self.help("numbers stand after `*`, `/` or `default`");
                None
            }
        }
    }

    fn part(&mut self, expr: &Expr) -> Option<Part> {
        match &expr.node {
            Node::Binary { operator, left, right, .. } => self.binary(expr, *operator, left, right),
            Node::Broken(parts) => {
                for part in parts {
                    self.part(part);
                }
                None
            }
            Node::Call { function, function_span, arguments } => {
                let message = format!("unknown function `{function}`");
                let label = "profiles have no functions";
                self.faults.push(Fault::new(
                    "unknown-function",
                    function_span.clone(),
                    message,
                    label,
                ));
                self.help("all matching series of a selector are added");
                for argument in arguments {
                    self.part(argument);
                }
                None
            }
            Node::Default { operand, value } => self.default(operand, *value),
            Node::Name(name) => self.series(name, &[]),
            Node::Number(number) => Some(Part::Number(*number)),
            Node::Selector { name, matchers } => self.series(name, matchers),
            Node::Unary { operator: Unary::Negate, operand } => {
                self.part(operand).map(|part| scale(-1.0, part))
            }
            Node::Unary { operator: Unary::Not, operand } => {
                self.part(operand);
                self.fault("unexpected-token", expr, "`not` belongs to rules", "not in a profile");
                None
            }
        }
    }

    fn series(&mut self, name: &str, matchers: &[MatcherExpr]) -> Option<Part> {
        match Selector::compile(name, matchers) {
            Ok(selector) => {
                self.selectors.push(selector);
                Some(Part::Linear(Linear::Series(self.selectors.len() - 1)))
            }
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// `default` belongs to one selector: over a sum it would hide which of the series is missing.
    fn default(&mut self, operand: &Expr, value: f64) -> Option<Part> {
        let checked = self.linear(operand)?;
        let mut inner = &checked;
        while let Linear::Scale(_, scaled) = inner {
            inner = scaled;
        }
        if !matches!(inner, Linear::Series(_)) {
            self.fault(
                "wrong-default",
                operand,
                "`default` belongs to one selector",
                "more than a selector",
            );
            self.help("give each selector its own `default`");
            return None;
        }
        Some(Part::Linear(Linear::Default(Box::new(checked), value)))
    }

    fn binary(&mut self, expr: &Expr, operator: Binary, left: &Expr, right: &Expr) -> Option<Part> {
        match operator {
            Binary::Multiply | Binary::Divide => self.product(expr, operator, left, right),
            Binary::Add | Binary::Subtract => {
                let sign = if operator == Binary::Add { 1.0 } else { -1.0 };
                let (left_part, right_part) = (self.part(left), self.part(right));
                match (left_part?, scale(sign, right_part?)) {
                    (Part::Number(a), Part::Number(b)) => Some(Part::Number(a + b)),
                    (Part::Linear(a), Part::Linear(b)) => {
                        Some(Part::Linear(Linear::Add(Box::new(a), Box::new(b))))
                    }
                    (Part::Number(_), _) => {
                        self.not_linear(left, "a number cannot be added to series")
                    }
                    (_, Part::Number(_)) => {
                        self.not_linear(right, "a number cannot be added to series")
                    }
                }
            }
            Binary::Or => {
                let (left, right) = (self.linear(left), self.linear(right));
                Some(Part::Linear(Linear::FirstPresent(Box::new(left?), Box::new(right?))))
            }
            _ => {
                self.part(left);
                self.part(right);
                let message = format!("`{}` belongs to rules", operator.symbol());
                self.fault("unexpected-token", expr, message, "not in a profile");
                None
            }
        }
    }

    fn product(
        &mut self,
        expr: &Expr,
        operator: Binary,
        left: &Expr,
        right: &Expr,
    ) -> Option<Part> {
        let (left_part, right_part) = (self.part(left), self.part(right));
        let product = match (operator, left_part?, right_part?) {
            (Binary::Divide, _, Part::Linear(_)) => {
                return self.not_linear(right, "only a number can divide");
            }
            (Binary::Divide, part, Part::Number(number)) => scale(1.0 / number, part),
            (_, Part::Number(number), part) | (_, part, Part::Number(number)) => {
                scale(number, part)
            }
            (_, Part::Linear(_), Part::Linear(_)) => {
                return self.not_linear(expr, "series cannot be multiplied with series");
            }
        };
        let factor = match &product {
            Part::Linear(Linear::Scale(factor, _)) | Part::Number(factor) => *factor,
            Part::Linear(_) => 1.0,
        };
        if !factor.is_finite() {
            self.fault(
                "bad-number",
                right,
                "not a finite factor",
                "division by zero, or too large",
            );
            return None;
        }
        Some(product)
    }

    fn not_linear(&mut self, expr: &Expr, label: &str) -> Option<Part> {
        self.fault("not-linear", expr, "the expression is not linear", label);
        self.help(
            "increases are taken per series, so a role is a sum of series, each times a number",
        );
        None
    }

    fn fault(&mut self, code: &'static str, expr: &Expr, message: impl Into<String>, label: &str) {
        self.faults.push(Fault::new(code, expr.span.clone(), message, label));
    }

    fn help(&mut self, help: &str) {
        if let Some(fault) = self.faults.last_mut() {
            fault.help = Some(help.to_owned());
        }
    }
}

fn scale(factor: f64, part: Part) -> Part {
    match part {
        Part::Number(number) => Part::Number(factor * number),
        Part::Linear(Linear::Scale(inner, operand)) => {
            Part::Linear(Linear::Scale(factor * inner, operand))
        }
        Part::Linear(linear) if factor.total_cmp(&1.0).is_eq() => Part::Linear(linear),
        Part::Linear(linear) => Part::Linear(Linear::Scale(factor, Box::new(linear))),
    }
}
