//! Why a tuning was judged as it was: the judge's words and numbers as the journal shows them.

use serde::Serialize;

use crate::judge;
use crate::judge::Judgement;
use crate::judge::Look;
use crate::judge::Margins;
use crate::judge::Vote;
use crate::tuner::Verdict;

/// What the judge saw; all absent until a tuning is judged, and where somebody told its outcome.
#[derive(Debug, Default, Serialize)]
pub(super) struct Judged<'a> {
    /// A name of a closed set.
    because: Option<&'static str>,
    /// The same in words.
    explanation: Option<String>,
    look: Option<&'static str>,
    effect: Option<f64>,
    improvement: Option<f64>,
    mean_before: Option<f64>,
    mean_after: Option<f64>,
    margins: Option<Margins>,
    votes: Option<Votes>,
    minimum_detectable_effect: Option<f64>,
    controls: Option<&'a [String]>,
    control_weight: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Votes {
    welch: Welch,
    /// These two need a longer history.
    placebo: Option<Placebo>,
    forecast: Option<Forecast>,
}

#[derive(Debug, Serialize)]
struct Welch {
    vote: &'static str,
    effect: f64,
    autocorrelation: f64,
    standard_error: f64,
    degrees: f64,
}

#[derive(Debug, Serialize)]
struct Placebo {
    vote: &'static str,
    effect: f64,
    centre: f64,
    scale: f64,
    degrees: f64,
    count: usize,
}

#[derive(Debug, Serialize)]
struct Forecast {
    vote: &'static str,
    effect: f64,
    step_ratio: f64,
    standard_error: f64,
}

impl<'a> Judged<'a> {
    /// What is known of a verdict.
    pub(super) fn new(verdict: Option<&'a Verdict>) -> Self {
        let Some(verdict) = verdict else { return Self::default() };
        let look = verdict.look.map(Look::name);
        let controls = Some(verdict.controls.as_slice());
        let Some(judgement) = &verdict.judgement else {
            return Self { look, controls, ..Self::default() };
        };
        let Judgement { reason, effect, improvement, margins, votes, .. } = judgement;
        Self {
            because: Some(reason.name()),
            explanation: Some(reason.to_string()),
            look,
            effect: *effect,
            improvement: *improvement,
            mean_before: judgement.before,
            mean_after: judgement.after,
            margins: *margins,
            votes: votes.as_ref().map(Votes::from),
            minimum_detectable_effect: judgement.minimum_detectable_effect,
            controls,
            control_weight: judgement.control_weight,
        }
    }
}

impl From<&judge::Votes> for Votes {
    fn from(votes: &judge::Votes) -> Self {
        let judge::Votes { welch, placebo, forecast } = votes;
        Self {
            welch: Welch {
                vote: name(welch.vote),
                effect: welch.effect,
                autocorrelation: welch.autocorrelation,
                standard_error: welch.standard_error,
                degrees: welch.degrees,
            },
            placebo: placebo.as_ref().map(|placebo| Placebo {
                vote: name(placebo.vote),
                effect: placebo.effect,
                centre: placebo.centre,
                scale: placebo.scale,
                degrees: placebo.degrees,
                count: placebo.count,
            }),
            forecast: forecast.as_ref().map(|forecast| Forecast {
                vote: name(forecast.vote),
                effect: forecast.effect,
                step_ratio: forecast.step_ratio,
                standard_error: forecast.standard_error,
            }),
        }
    }
}

const fn name(vote: Vote) -> &'static str {
    match vote {
        Vote::Worse => "worse",
        Vote::Abstain => "abstain",
        Vote::Better => "better",
    }
}
