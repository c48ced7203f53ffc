//! The tree that the parser makes of an expression, and its canonical text.
//!
//! One tree serves both dialects; what makes no sense in one of them is refused by its checker,
//! with a place. Parentheses leave no node: printing puts back those that are needed, so that the
//! text reads back as the same tree.

use std::fmt;
use std::ops::Range;

use crate::expr::Dialect;
use crate::expr::Fault;
use crate::expr::selector::MatchOperator;

/// A parsed expression with the faults found so far. Checking adds its own to them.
#[derive(Clone, Debug)]
pub struct Ast {
    /// The outermost node.
    pub root: Expr,
    /// The dialect it was read in.
    pub dialect: Dialect,
    /// What the lexer and the parser found wrong, in no order.
    pub faults: Vec<Fault>,
}

/// A node and its place in the text, in bytes.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What.
    pub node: Node,
    /// Where; parentheses around it excluded.
    pub span: Range<usize>,
}

/// The kinds of nodes.
#[derive(Clone, Debug)]
pub enum Node {
    /// Two operands and what stands between them.
    Binary {
        /// The operator.
        operator: Binary,
        /// Its place.
        operator_span: Range<usize>,
        /// What stands before it.
        left: Box<Expr>,
        /// What stands after it.
        right: Box<Expr>,
    },
    /// Where the parser went on after a fault: the parts that it did read, which the checker still
    /// visits.
    Broken(Vec<Expr>),
    /// A function with its arguments.
    Call {
        /// The function's name as written.
        function: String,
        /// The place of the name alone.
        function_span: Range<usize>,
        /// The arguments.
        arguments: Vec<Expr>,
    },
    /// `operand default value`.
    Default {
        /// What may be missing.
        operand: Box<Expr>,
        /// What then stands for it.
        value: f64,
    },
    /// A plain name; in a profile, a selector without matchers.
    Name(String),
    /// A number, finite and not negative.
    Number(f64),
    /// A selector with braces.
    Selector {
        /// The metric's name.
        name: String,
        /// The matchers in their order.
        matchers: Vec<MatcherExpr>,
    },
    /// A prefix operator.
    Unary {
        /// The operator.
        operator: Unary,
        /// What it applies to.
        operand: Box<Expr>,
    },
}

/// One `label="value"` of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatcherExpr {
    /// The label's name.
    pub label: String,
    /// How it is compared.
    pub operator: MatchOperator,
    /// With what, unescaped.
    pub value: String,
    /// The place of the value.
    pub value_span: Range<usize>,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `+`
    Add,
    /// `and`
    And,
    /// `/`
    Divide,
    /// `==`
    Equal,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `*`
    Multiply,
    /// `!=`
    NotEqual,
    /// `or`
    Or,
    /// `-`
    Subtract,
}

/// Operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// How tightly operators bind: a larger number binds tighter. `or` `and` `not` comparison `+ -`
/// `default` `* /` unary minus.
pub(crate) mod binding {
    pub(crate) const OR: u8 = 1;
    pub(crate) const AND: u8 = 2;
    pub(crate) const NOT: u8 = 3;
    pub(crate) const COMPARISON: u8 = 4;
    pub(crate) const SUM: u8 = 5;
    pub(crate) const DEFAULT: u8 = 6;
    pub(crate) const PRODUCT: u8 = 7;
    pub(crate) const NEGATE: u8 = 8;
    pub(crate) const ATOM: u8 = 9;
}

impl Binary {
    pub(crate) fn binding(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => binding::SUM,
            Self::And => binding::AND,
            Self::Divide | Self::Multiply => binding::PRODUCT,
            Self::Or => binding::OR,
            _ => binding::COMPARISON,
        }
    }

    pub(crate) fn is_comparison(self) -> bool {
        self.binding() == binding::COMPARISON
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::And => "and",
            Self::Divide => "/",
            Self::Equal => "==",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Multiply => "*",
            Self::NotEqual => "!=",
            Self::Or => "or",
            Self::Subtract => "-",
        }
    }
}

impl Unary {
    pub(crate) fn binding(self) -> u8 {
        match self {
            Self::Negate => binding::NEGATE,
            Self::Not => binding::NOT,
        }
    }
}

impl Expr {
    fn binding(&self) -> u8 {
        match &self.node {
            Node::Binary { operator, .. } => operator.binding(),
            Node::Default { .. } => binding::DEFAULT,
            Node::Unary { operator, .. } => operator.binding(),
            _ => binding::ATOM,
        }
    }

    /// Writes the node, in parentheses where its place wants something that binds tighter.
    fn write(&self, f: &mut fmt::Formatter<'_>, minimum: u8) -> fmt::Result {
        if self.binding() < minimum {
            f.write_str("(")?;
            self.write(f, 0)?;
            return f.write_str(")");
        }
        match &self.node {
            Node::Binary { operator, left, right, .. } => {
                // Comparisons do not chain, so an operand that is one needs parentheses on either
                // side.
                let tighter = operator.binding() + 1;
                left.write(f, if operator.is_comparison() { tighter } else { operator.binding() })?;
                write!(f, " {} ", operator.symbol())?;
                right.write(f, tighter)
            }
            Node::Broken(_) => f.write_str("…"),
            Node::Call { function, arguments, .. } => {
                write!(f, "{function}(")?;
                for (index, argument) in arguments.iter().enumerate() {
                    f.write_str(if index > 0 { ", " } else { "" })?;
                    argument.write(f, 0)?;
                }
                f.write_str(")")
            }
            Node::Default { operand, value } => {
                operand.write(f, binding::DEFAULT)?;
                f.write_str(" default ")?;
                write_number(f, *value)
            }
            Node::Name(name) => f.write_str(name),
            Node::Number(number) => write_number(f, *number),
            Node::Selector { name, matchers } => write_selector(f, name, matchers),
            Node::Unary { operator: Unary::Negate, operand } => {
                f.write_str("-")?;
                operand.write(f, binding::NEGATE)
            }
            Node::Unary { operator: Unary::Not, operand } => {
                f.write_str("not ")?;
                operand.write(f, binding::NOT)
            }
        }
    }
}

/// The canonical text: one blank around operators, no needless parentheses.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

/// The same tree, wherever in a text it stands.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        match (&self.node, &other.node) {
            (
                Node::Binary { operator: a, left: al, right: ar, .. },
                Node::Binary { operator: b, left: bl, right: br, .. },
            ) => a == b && al == bl && ar == br,
            (Node::Broken(a), Node::Broken(b)) => a == b,
            (
                Node::Call { function: a, arguments: aa, .. },
                Node::Call { function: b, arguments: ba, .. },
            ) => a == b && aa == ba,
            (Node::Default { operand: a, value: av }, Node::Default { operand: b, value: bv }) => {
                a == b && av.to_bits() == bv.to_bits()
            }
            (Node::Name(a), Node::Name(b)) => a == b,
            (Node::Number(a), Node::Number(b)) => a.to_bits() == b.to_bits(),
            (
                Node::Selector { name: a, matchers: am },
                Node::Selector { name: b, matchers: bm },
            ) => a == b && am.iter().map(MatcherExpr::parts).eq(bm.iter().map(MatcherExpr::parts)),
            (
                Node::Unary { operator: a, operand: ao },
                Node::Unary { operator: b, operand: bo },
            ) => a == b && ao == bo,
            _ => false,
        }
    }
}

impl MatcherExpr {
    fn parts(&self) -> (&str, MatchOperator, &str) {
        (&self.label, self.operator, &self.value)
    }
}

/// A number that reads back as the same 64 bits, with an exponent only where the digits would be
/// many.
fn write_number(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    let size = number.abs();
    if size == 0.0 || (1e-5..1e15).contains(&size) {
        write!(f, "{number}")
    } else {
        write!(f, "{number:e}")
    }
}

fn write_selector(f: &mut fmt::Formatter<'_>, name: &str, matchers: &[MatcherExpr]) -> fmt::Result {
    let plain = is_plain_name(name);
    if plain {
        f.write_str(name)?;
    }
    f.write_str("{")?;
    if !plain {
        write_text(f, name)?;
    }
    for (index, matcher) in matchers.iter().enumerate() {
        f.write_str(if index > 0 || !plain { ", " } else { "" })?;
        if is_plain_name(&matcher.label) {
            f.write_str(&matcher.label)?;
        } else {
            write_text(f, &matcher.label)?;
        }
        f.write_str(matcher.operator.symbol())?;
        write_text(f, &matcher.value)?;
    }
    f.write_str("}")
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            _ => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

/// Whether the lexer reads it as one name in a profile.
fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "or" | "default")
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}
