//! The one small expression language of the program: rules ask it about signals, profiles select
//! series with it.
//!
//! A general language (CEL, evalexpr) was refused: it knows neither absence, nor which names exist,
//! nor that a role must be linear, so its faults would show at run time. Here everything is checked
//! when a file loads, every fault carries a place, and all faults of one expression come at once.
//!
//! Both dialects share the lexer ([`mod@lex`]), the grammar ([`mod@parse`]) and the tree ([`ast`]).
//! They part in the checkers: [`check`] turns a rule into a typed [`Condition`], and [`linear`] a
//! role into a [`Selection`].

use std::fmt;
use std::ops::Range;

use crate::diag::Diagnostic;
use crate::yaml::Node;

pub mod ast;
pub mod check;
pub mod eval;
pub mod lex;
pub mod linear;
pub mod parse;
pub mod selector;

pub use ast::Ast;
pub use check::NameKind;
pub use check::NameRef;
pub use check::Names;
pub use check::Type;
pub use check::check_rule;
pub use eval::Condition;
pub use eval::Inputs;
pub use eval::Value;
pub use eval::WindowFunction;
pub use linear::Selection;
pub use linear::check_selection;
pub use parse::parse;
pub use selector::Selector;

/// Longest expression, in bytes. The longest built-in one has some 300.
pub const LENGTH_MAX: usize = 4096;

/// Deepest nesting of parentheses, calls and prefix operators. It bounds the parser's recursion.
pub const DEPTH_MAX: usize = 64;

/// Most nodes of one tree. It bounds the height of a long chain (`a + a + …`), and so every
/// recursion over the tree.
pub const NODES_MAX: usize = 512;

/// Which words and symbols the lexer and the parser let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Arithmetic and selectors: the roles of a profile.
    Profile,
    /// Arithmetic, comparisons, logic and window functions: `when` of a rule.
    Rule,
}

/// One thing wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable name of the kind of fault, in kebab-case.
    pub code: &'static str,
    /// Where, in bytes of the expression's text.
    pub span: Range<usize>,
    /// A phrase that stands alone.
    pub message: String,
    /// What is wrong at this place.
    pub label: String,
    /// A next step, where there is one.
    pub help: Option<String>,
}

impl Fault {
    /// A fault without help.
    pub fn new(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self { code, span, message: message.into(), label: label.into(), help: None }
    }

    /// The same fault with a next step.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The fault as a diagnostic of the file, placed inside the text of `node` that the expression
    /// was read from.
    pub fn within(self, node: &Node<'_>) -> Diagnostic {
        let Self { code, span, message, label, help } = self;
        node.error_inside(span, code, message).label(label).maybe_help(help)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Parses and checks a rule's `when`.
///
/// # Errors
/// Every fault of the expression, in the order of their places.
pub fn condition(text: &str, names: &dyn Names) -> Result<Condition, Vec<Fault>> {
    check_rule(&parse(text, Dialect::Rule), names)
}

/// Parses and checks a profile's expression over series.
///
/// # Errors
/// Every fault of the expression, in the order of their places.
pub fn selection(text: &str) -> Result<Selection, Vec<Fault>> {
    check_selection(&parse(text, Dialect::Profile))
}

/// The parser's faults and the checker's as one list, in the order of their places.
fn in_order(parsed: &[Fault], checked: Vec<Fault>) -> Vec<Fault> {
    let mut all = parsed.to_vec();
    all.extend(checked);
    all.sort_by_key(|fault| (fault.span.start, fault.span.end));
    all
}

#[cfg(test)]
mod tests;
