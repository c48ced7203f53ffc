//! The checker of rules: names, types and arity, once, when the file loads.
//!
//! What passes is a [`Condition`] whose tree cannot hold a comparison of a truth value, a window
//! over a threshold, or an unknown name; the evaluator checks none of it again.

use std::ops::Range;

use crate::expr::Fault;
use crate::expr::ast::Ast;
use crate::expr::ast::Binary;
use crate::expr::ast::Expr;
use crate::expr::ast::Node;
use crate::expr::ast::Unary;
use crate::expr::eval::Arithmetic;
use crate::expr::eval::Boolean;
use crate::expr::eval::Comparison;
use crate::expr::eval::Condition;
use crate::expr::eval::Number;
use crate::expr::eval::WindowFunction;
use crate::expr::in_order;
use crate::suggest;

/// Most snapshots that `newest` and `oldest` average.
pub const WINDOW_COUNT_MAX: usize = 5760;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// A parameter: its value in force.
    Parameter,
    /// A key of `tuning`.
    Setting,
    /// A signal: its newest value. The only kind that window functions take.
    Signal,
    /// A threshold of the rule.
    Threshold,
}

/// A resolved name. The index means something only to whoever resolved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameRef {
    /// The kind.
    pub kind: NameKind,
    /// Which one of its kind.
    pub index: usize,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Boolean,
    /// A number.
    Number,
}

impl Type {
    fn described(self) -> &'static str {
        match self {
            Self::Boolean => "a truth value",
            Self::Number => "a number",
        }
    }
}

/// The names that a rule may use.
pub trait Names {
    /// What the name stands for, and the type of its value.
    fn resolve(&self, name: &str) -> Option<(NameRef, Type)>;

    /// All names, for suggestions.
    fn candidates(&self) -> Vec<&str>;
}

/// Checks a parsed rule. The result is true or false, never a number.
///
/// # Errors
/// Every fault, those of the parser included, in the order of their places.
pub fn check_rule(ast: &Ast, names: &dyn Names) -> Result<Condition, Vec<Fault>> {
    let mut checker = Checker { names, faults: Vec::new(), references: Vec::new() };
    let root = checker.boolean(&ast.root, "a rule's condition");
    match root {
        Some(root) if ast.faults.is_empty() && checker.faults.is_empty() => {
            Ok(Condition::new(ast.root.clone(), root, checker.references))
        }
        _ => Err(in_order(&ast.faults, checker.faults)),
    }
}

/// A checked expression. `None` in its place means that a fault is reported already, so that
/// nothing is added to it.
enum Typed {
    Boolean(Boolean),
    Number(Number),
}

struct Checker<'a> {
    names: &'a dyn Names,
    faults: Vec<Fault>,
    references: Vec<NameRef>,
}

impl Checker<'_> {
    fn boolean(&mut self, expr: &Expr, place: &str) -> Option<Boolean> {
        match self.any(expr)? {
            Typed::Boolean(boolean) => Some(boolean),
            Typed::Number(_) => {
                self.wrong_type(expr, place, Type::Boolean, Type::Number);
                self.help(format!("compare it with something: `{expr} > 0`"));
                None
            }
        }
    }

    fn number(&mut self, expr: &Expr, place: &str) -> Option<Number> {
        match self.any(expr)? {
            Typed::Number(number) => Some(number),
            Typed::Boolean(_) => {
                self.wrong_type(expr, place, Type::Number, Type::Boolean);
                None
            }
        }
    }

    fn any(&mut self, expr: &Expr) -> Option<Typed> {
        match &expr.node {
            Node::Binary { operator, left, right, .. } => self.binary(*operator, left, right),
            Node::Broken(parts) => {
                let before = self.faults.len();
                for part in parts {
                    self.any(part);
                }
                // Where an operator is in doubt, so are the types around it; names are not.
                let inside = self.faults.split_off(before);
                self.faults.extend(inside.into_iter().filter(|fault| fault.code != "wrong-type"));
                None
            }
            Node::Call { function, function_span, arguments } => {
                self.call(expr, function, function_span, arguments).map(Typed::Number)
            }
            Node::Default { operand: inner, .. } => {
                self.any(inner);
                self.foreign(expr, "`default` belongs to profiles")
            }
            Node::Name(name) => self.name(name, &expr.span),
            Node::Number(number) => Some(Typed::Number(Number::Constant(*number))),
            Node::Selector { .. } => self.foreign(expr, "selectors belong to profiles"),
            Node::Unary { operator: Unary::Negate, operand } => {
                let operand = self.number(operand, "the operand of `-`")?;
                Some(Typed::Number(Number::Negate(Box::new(operand))))
            }
            Node::Unary { operator: Unary::Not, operand } => {
                let operand = self.boolean(operand, "the operand of `not`")?;
                Some(Typed::Boolean(Boolean::Not(Box::new(operand))))
            }
        }
    }

    fn binary(&mut self, operator: Binary, left: &Expr, right: &Expr) -> Option<Typed> {
        let place = format!("an operand of `{}`", operator.symbol());
        // Both sides are visited before either may end the check: each may have faults of its own.
        if matches!(operator, Binary::And | Binary::Or) {
            let (left, right) = (self.boolean(left, &place), self.boolean(right, &place));
            let (left, right) = (Box::new(left?), Box::new(right?));
            return Some(Typed::Boolean(match operator {
                Binary::And => Boolean::And(left, right),
                _ => Boolean::Or(left, right),
            }));
        }
        let (left, right) = (self.number(left, &place), self.number(right, &place));
        let (left, right) = (Box::new(left?), Box::new(right?));
        let arithmetic =
            |operator| Typed::Number(Number::Arithmetic(operator, left.clone(), right.clone()));
        let comparison =
            |operator| Typed::Boolean(Boolean::Compare(operator, left.clone(), right.clone()));
        Some(match operator {
            Binary::Add => arithmetic(Arithmetic::Add),
            Binary::Divide => arithmetic(Arithmetic::Divide),
            Binary::Multiply => arithmetic(Arithmetic::Multiply),
            Binary::Subtract => arithmetic(Arithmetic::Subtract),
            Binary::Greater => comparison(Comparison::Greater),
            Binary::GreaterEqual => comparison(Comparison::GreaterEqual),
            Binary::Less => comparison(Comparison::Less),
            Binary::LessEqual => comparison(Comparison::LessEqual),
            Binary::NotEqual => comparison(Comparison::NotEqual),
            Binary::And | Binary::Equal | Binary::Or => comparison(Comparison::Equal),
        })
    }

    fn name(&mut self, name: &str, span: &Range<usize>) -> Option<Typed> {
        let (reference, kind) = self.resolve(name, span)?;
        Some(match kind {
            Type::Boolean => Typed::Boolean(Boolean::Name(reference)),
            Type::Number => Typed::Number(Number::Name(reference)),
        })
    }

    fn resolve(&mut self, name: &str, span: &Range<usize>) -> Option<(NameRef, Type)> {
        if let Some(resolved) = self.names.resolve(name) {
            if !self.references.contains(&resolved.0) {
                self.references.push(resolved.0);
            }
            return Some(resolved);
        }
        let label = "not a signal, threshold, setting or parameter";
        let fault =
            Fault::new("unknown-name", span.clone(), format!("unknown name `{name}`"), label);
        self.faults.push(fault);
        if name == SAMPLES || WindowFunction::named(name).is_some() {
            self.help(format!("`{name}` is a function: write {}", usage(name)));
        } else if let Some(help) = did_you_mean(name, self.names.candidates()) {
            self.help(help);
        }
        None
    }

    fn call(
        &mut self,
        expr: &Expr,
        function: &str,
        function_span: &Range<usize>,
        arguments: &[Expr],
    ) -> Option<Number> {
        if function == SAMPLES {
            return self.arity(expr, function, arguments, 0).map(|()| Number::Samples);
        }
        let Some(window) = WindowFunction::named(function) else {
            self.unknown_function(function, function_span);
            for argument in arguments {
                self.any(argument);
            }
            return None;
        };
        let signal = arguments.first().and_then(|argument| self.signal(argument, function));
        let count = arguments.get(1).and_then(|argument| self.count(argument, function));
        self.arity(expr, function, arguments, if window.takes_count() { 2 } else { 1 })?;
        let count = if window.takes_count() { Some(count?) } else { None };
        Some(Number::Window { function: window, signal: signal?, count })
    }

    fn unknown_function(&mut self, function: &str, span: &Range<usize>) {
        let message = format!("unknown function `{function}`");
        self.faults.push(Fault::new("unknown-function", span.clone(), message, "no such function"));
        let known = || WindowFunction::ALL.iter().map(|known| known.name()).chain([SAMPLES]);
        if self.names.resolve(function).is_some() {
            self.help(format!("`{function}` is a value: leave out the parentheses"));
        } else if let Some(help) = did_you_mean(function, known()) {
            self.help(help);
        } else {
            self.help(format!("functions are {}", listed(known())));
        }
    }

    fn arity(&mut self, expr: &Expr, function: &str, found: &[Expr], wanted: usize) -> Option<()> {
        if found.len() == wanted {
            return Some(());
        }
        let arguments = if wanted == 1 { "argument" } else { "arguments" };
        self.faults.push(Fault::new(
            "wrong-arity",
            expr.span.clone(),
            format!("`{function}` takes {wanted} {arguments}, not {}", found.len()),
            format!("{} given", found.len()),
        ));
        self.help(format!("write {}", usage(function)));
        None
    }

    /// The first argument of a window function: a signal by its plain name.
    fn signal(&mut self, argument: &Expr, function: &str) -> Option<NameRef> {
        let reference = if let Node::Name(name) = &argument.node {
            Some(self.resolve(name, &argument.span)?.0)
        } else {
            self.any(argument)?;
            None
        };
        if let Some(signal) = reference.filter(|reference| reference.kind == NameKind::Signal) {
            return Some(signal);
        }
        self.faults.push(Fault::new(
            "wrong-type",
            argument.span.clone(),
            format!("`{function}` wants a signal"),
            "not a signal",
        ));
        self.help("only signals have a past; put arithmetic around the call");
        None
    }

    /// The second argument of `newest` and `oldest`: a whole number, written out.
    fn count(&mut self, argument: &Expr, function: &str) -> Option<usize> {
        if let Node::Number(number) = argument.node {
            let whole =
                (1..=WINDOW_COUNT_MAX).find(|count| (*count as f64).total_cmp(&number).is_eq());
            if whole.is_some() {
                return whole;
            }
        } else {
            self.any(argument);
        }
        self.faults.push(Fault::new(
            "wrong-type",
            argument.span.clone(),
            format!("`{function}` wants a whole number of snapshots from 1 to {WINDOW_COUNT_MAX}"),
            "not such a number",
        ));
        None
    }

    fn wrong_type(&mut self, expr: &Expr, place: &str, wanted: Type, found: Type) {
        self.faults.push(Fault::new(
            "wrong-type",
            expr.span.clone(),
            format!("{place} must be {}", wanted.described()),
            format!("this is {}", found.described()),
        ));
    }

    fn foreign(&mut self, expr: &Expr, message: &str) -> Option<Typed> {
        self.faults.push(Fault::new(
            "unexpected-token",
            expr.span.clone(),
            message,
            "not in a rule",
        ));
        None
    }

    fn help(&mut self, help: impl Into<String>) {
        if let Some(fault) = self.faults.last_mut() {
            fault.help = Some(help.into());
        }
    }
}

/// The one function that takes no signal.
const SAMPLES: &str = "samples";

fn usage(function: &str) -> String {
    match WindowFunction::named(function) {
        None => format!("`{function}()`"),
        Some(window) if window.takes_count() => format!("`{function}(signal, n)`"),
        Some(_) => format!("`{function}(signal)`"),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest::closest(name, known).map(|near| format!("did you mean `{near}`?"))
}
