//! A wanted change of one parameter.

use std::sync::Arc;

use crate::parameter::Parameter;
use crate::tuner::tuning::Outlook;

/// A wanted change, with rez-next's fields and the rule that wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningRecommendation {
    /// The rule that fired.
    pub rule: Arc<str>,
    /// What to change.
    pub parameter: Parameter,
    /// Its value when the rule fired.
    pub current_value: f64,
    /// The value it should have.
    pub recommended_value: f64,
    /// Trust in it; 0 to 1.
    pub confidence: f64,
    /// Relative improvement that is expected; ratio.
    pub expected_improvement: f64,
    /// What is predicted of a change of size; `None` where nothing can be.
    pub outlook: Option<Outlook>,
    /// Why, for people.
    pub reason: Arc<str>,
    /// Whether it was put in force.
    pub applied: bool,
}
