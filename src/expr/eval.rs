//! Checked conditions and their evaluation over numbers and absence.
//!
//! Absence is neither zero nor false, so logic has three values (Kleene's): what is absent decides
//! nothing, and everything that the known operands decide alone stays decided. `false and absent`
//! is false, `true or absent` is true. A quotient by zero, and whatever else is not finite, is
//! absent: no NaN or infinity leaves an expression.

use std::fmt;

use crate::expr::ast::Expr;
use crate::expr::check::NameRef;

/// The functions over the window of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowFunction {
    /// Largest value.
    Max,
    /// Mean of all values.
    Mean,
    /// Smallest value.
    Min,
    /// Mean over the n newest snapshots.
    Newest,
    /// Mean over the n oldest snapshots.
    Oldest,
    /// Change per minute, by least squares.
    Slope,
    /// Standard deviation.
    Stddev,
}

impl WindowFunction {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Max, Self::Mean, Self::Min, Self::Newest, Self::Oldest, Self::Slope, Self::Stddev];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Slope => "slope",
            Self::Stddev => "stddev",
        }
    }

    /// Whether it takes a number of snapshots after the signal.
    pub fn takes_count(self) -> bool {
        matches!(self, Self::Newest | Self::Oldest)
    }

    /// The function of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }
}

/// The value of a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Of a name checked to be true or false.
    Boolean(bool),
    /// Of a name checked to be a number.
    Number(f64),
}

/// What a condition is evaluated over.
pub trait Inputs {
    /// The value of a name; none if it is absent.
    fn name(&self, name: NameRef) -> Option<Value>;

    /// A function over the window of a signal, of `count` snapshots where the function takes a
    /// count; none if it is absent.
    fn window(
        &self,
        function: WindowFunction,
        signal: NameRef,
        count: Option<usize>,
    ) -> Option<f64>;

    /// Snapshots in the window.
    fn samples(&self) -> usize;
}

/// A checked condition. It prints as its canonical text.
#[derive(Clone, Debug)]
pub struct Condition {
    source: Expr,
    root: Boolean,
    references: Vec<NameRef>,
}

impl Condition {
    pub(super) fn new(source: Expr, root: Boolean, references: Vec<NameRef>) -> Self {
        Self { source, root, references }
    }

    /// Whether it holds; none if that hangs on an absent value. Allocates nothing.
    pub fn evaluate(&self, inputs: &dyn Inputs) -> Option<bool> {
        self.root.evaluate(inputs)
    }

    /// Every name it mentions once, in the order of the text, the signals of window functions
    /// included.
    pub fn references(&self) -> &[NameRef] {
        &self.references
    }

    /// The expression it was made from.
    pub fn source(&self) -> &Expr {
        &self.source
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Boolean {
    And(Box<Self>, Box<Self>),
    Compare(Comparison, Box<Number>, Box<Number>),
    Name(NameRef),
    Not(Box<Self>),
    Or(Box<Self>, Box<Self>),
}

#[derive(Clone, Debug)]
pub(super) enum Number {
    Arithmetic(Arithmetic, Box<Self>, Box<Self>),
    Constant(f64),
    Name(NameRef),
    Negate(Box<Self>),
    Samples,
    Window { function: WindowFunction, signal: NameRef, count: Option<usize> },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Arithmetic {
    Add,
    Divide,
    Multiply,
    Subtract,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    NotEqual,
}

impl Boolean {
    fn evaluate(&self, inputs: &dyn Inputs) -> Option<bool> {
        match self {
            Self::And(left, right) => match left.evaluate(inputs) {
                Some(false) => Some(false),
                Some(true) => right.evaluate(inputs),
                None => right.evaluate(inputs).filter(|known| !known),
            },
            Self::Compare(operator, left, right) => {
                Some(operator.holds(left.evaluate(inputs)?, right.evaluate(inputs)?))
            }
            Self::Name(name) => match inputs.name(*name)? {
                Value::Boolean(value) => Some(value),
                Value::Number(_) => None,
            },
            Self::Not(operand) => operand.evaluate(inputs).map(|value| !value),
            Self::Or(left, right) => match left.evaluate(inputs) {
                Some(true) => Some(true),
                Some(false) => right.evaluate(inputs),
                None => right.evaluate(inputs).filter(|known| *known),
            },
        }
    }
}

impl Number {
    /// Always finite.
    fn evaluate(&self, inputs: &dyn Inputs) -> Option<f64> {
        let value = match self {
            Self::Arithmetic(operator, left, right) => {
                operator.apply(left.evaluate(inputs)?, right.evaluate(inputs)?)
            }
            Self::Constant(value) => *value,
            Self::Name(name) => match inputs.name(*name)? {
                Value::Boolean(_) => return None,
                Value::Number(value) => value,
            },
            Self::Negate(operand) => -operand.evaluate(inputs)?,
            Self::Samples => inputs.samples() as f64,
            Self::Window { function, signal, count } => {
                inputs.window(*function, *signal, *count)?
            }
        };
        value.is_finite().then_some(value)
    }
}

impl Arithmetic {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Divide => left / right,
            Self::Multiply => left * right,
            Self::Subtract => left - right,
        }
    }
}

impl Comparison {
    #[expect(
        clippy::float_cmp,
        reason = "the rule's author asks for equality, and both sides are finite"
    )]
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::NotEqual => left != right,
        }
    }
}
