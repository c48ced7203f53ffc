//! One tuning from the decision to the verdict: what was changed, why, on what evidence it counts
//! as taken over, and what came of it. The journal shows exactly this.

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::judge::Held;
use crate::judge::Judgement;
use crate::judge::Kind;
use crate::judge::Look;
use crate::outcome::Outcome;
use crate::parameter::Parameter;
use crate::predict::Observation;
use crate::rule::Objective;
use crate::signal::Signal;
use crate::units::Timestamp;

/// The rule that changes by other hands are judged under.
pub const EXTERNAL: &str = "external";

/// Who made a tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The tuner put a recommendation in force.
    Auto,
    /// Somebody put a recommendation in force: by the API, or by doing what it says.
    Manual,
    /// Somebody changed the cache, and no recommendation had asked for it.
    External,
    /// Nobody: it was not put in force, and is judged as if it had been.
    Shadow,
}

impl Origin {
    /// As shown in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
            Self::External => "external",
            Self::Shadow => "shadow",
        }
    }

    /// Whether something changed.
    pub const fn is_real(self) -> bool {
        !matches!(self, Self::Shadow)
    }
}

/// How the tuner knows that the cache took a value over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The target shows it.
    Observed,
    /// The cache fetched its parameters.
    Fetched,
    /// Nothing had to be taken over: a shadow tuning.
    None,
}

impl Evidence {
    /// As shown in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Fetched => "fetched",
            Self::None => "none",
        }
    }
}

/// What a change of size was predicted to bring.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Size of all levels after ÷ before.
    pub size_ratio: f64,
    /// Predicted change of the hit rate.
    pub gain: f64,
    /// Standard error of that.
    pub error: f64,
    /// Price of the size given back, in hits per request; negative for growth.
    pub saving: f64,
}

/// A tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Its number in the journal.
    pub number: u64,
    /// Who made it.
    pub origin: Origin,
    /// The rule that wanted it, or [`EXTERNAL`].
    pub rule: Arc<str>,
    /// What was changed.
    pub parameter: Parameter,
    /// The value before.
    pub from: f64,
    /// The value after.
    pub to: f64,
    /// Trust in it when it was made; 0 to 1.
    pub confidence: f64,
    /// Relative improvement that was expected; ratio.
    pub expected_improvement: f64,
    /// What was predicted of a change of size.
    pub outlook: Option<Outlook>,
    /// Why, for people.
    pub reason: Arc<str>,
    /// What it is meant to improve.
    pub objective: Objective,
    /// The window before.
    pub held: Held,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When the cache took it over; `None`: not yet.
    pub adopted_at: Option<Timestamp>,
    /// On what evidence.
    pub evidence: Option<Evidence>,
    /// Samples after that which are left out.
    pub skip: usize,
    /// Whether the first planned look was taken.
    pub first_look_done: bool,
}

impl Tuning {
    /// What kind of change it is to the judge.
    pub fn kind(&self) -> Kind {
        match self.parameter.is_size() {
            true if self.to < self.from => Kind::Shrink,
            true => Kind::Growth,
            false => Kind::Other,
        }
    }

    /// Whether it was put in force, and the cache has not taken it over yet.
    pub const fn is_awaited(&self) -> bool {
        self.origin.is_real() && self.adopted_at.is_none()
    }
}

/// What came of a tuning, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// When it was given.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// The judge's numbers; `None` where somebody else told the outcome.
    pub judgement: Option<Judgement>,
    /// The look that decided.
    pub look: Option<Look>,
    /// Caches that served as controls, the most correlated first: `target cache`.
    pub controls: Vec<String>,
    /// Whether the change was undone.
    pub rolled_back: bool,
}

impl Verdict {
    /// How the hit rate followed the size, where `tuning` changed one and that was judged.
    pub fn observation(&self, tuning: &Tuning) -> Option<Observation> {
        let judgement = self.judgement.as_ref().filter(|_| self.outcome != Outcome::Void)?;
        let outlook = tuning.outlook.filter(|_| tuning.origin.is_real())?;
        let before = judgement.before.filter(|_| tuning.objective.signal == Signal::HitRate)?;
        Some(Observation {
            size_ratio: outlook.size_ratio,
            hit_rate_before: before,
            hit_rate_after: (before + judgement.effect?).clamp(0.0, 1.0),
            at: self.at,
        })
    }
}

/// Something that happened to a tuning; the journal gets each.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningEvent {
    /// What.
    pub kind: EventKind,
    /// The tuning from then on.
    pub tuning: Tuning,
    /// What came of it; `None` until it is judged.
    pub verdict: Option<Verdict>,
}

/// What may happen to a tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It was decided.
    Started,
    /// The cache took it over.
    Adopted,
    /// It was judged.
    Judged,
}

impl TuningEvent {
    /// It was decided.
    pub(super) const fn started(tuning: Tuning) -> Self {
        Self { kind: EventKind::Started, tuning, verdict: None }
    }

    /// The cache took it over.
    pub(super) const fn adopted(tuning: Tuning) -> Self {
        Self { kind: EventKind::Adopted, tuning, verdict: None }
    }

    /// It was judged.
    pub(super) const fn judged(tuning: Tuning, verdict: Verdict) -> Self {
        Self { kind: EventKind::Judged, tuning, verdict: Some(verdict) }
    }
}
