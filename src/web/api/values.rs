//! Values that several answers share.

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::parameter::Parameter;
use crate::published::CacheView;
use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;
use crate::tuner::Outlook;
use crate::tuner::TuningRecommendation;
use crate::units::Timestamp;

/// A parameter's value: whole where only whole numbers make sense.
#[derive(Debug, Clone, Copy)]
pub(super) struct ParameterValue(pub(super) Parameter, pub(super) f64);

impl Serialize for ParameterValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(parameter, value) = *self;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole parameters are within 1 to 1000"
        )]
        if parameter.is_whole() && value >= 0.0 && value.fract() == 0.0 {
            return serializer.serialize_u64(value as u64);
        }
        serializer.serialize_f64(value)
    }
}

/// The parameters that a cache has, by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters<'a>(pub(super) &'a CacheView);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(view) = self;
        serializer.collect_map(view.tunable.iter().map(|&parameter| {
            (parameter.name(), ParameterValue(parameter, view.parameters.value(parameter)))
        }))
    }
}

/// A snapshot: its time, then every signal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot<'a>(pub(super) &'a PerformanceSnapshot);

impl Serialize for Snapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + Signal::COUNT))?;
        map.serialize_entry("timestamp", &unix_seconds(self.0.timestamp))?;
        for signal in Signal::ALL {
            map.serialize_entry(signal.name(), &self.0.value(signal))?;
        }
        map.end()
    }
}

/// What a change of size is predicted to bring.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Predicted {
    /// Size of all levels after ÷ before.
    size_ratio: f64,
    /// Change of the hit rate.
    gain: f64,
    /// Standard error of that.
    error: f64,
    /// Price of the size given back, in hits per request.
    saving: f64,
}

impl From<Outlook> for Predicted {
    fn from(outlook: Outlook) -> Self {
        let Outlook { size_ratio, gain, error, saving } = outlook;
        Self { size_ratio, gain, error, saving }
    }
}

/// A recommendation.
#[derive(Debug, Serialize)]
pub(super) struct Recommendation<'a> {
    rule: &'a str,
    parameter: &'static str,
    current_value: ParameterValue,
    recommended_value: ParameterValue,
    confidence: f64,
    expected_improvement: f64,
    reason: &'a str,
    predicted: Option<Predicted>,
    /// How to do it by hand, where the profile says.
    apply: Option<String>,
    /// Whether it was put in force.
    applied: bool,
}

/// A recommendation for that cache.
pub(super) fn recommendation<'a>(
    view: &CacheView,
    recommendation: &'a TuningRecommendation,
) -> Recommendation<'a> {
    let parameter = recommendation.parameter;
    Recommendation {
        rule: &recommendation.rule,
        parameter: parameter.name(),
        current_value: ParameterValue(parameter, recommendation.current_value),
        recommended_value: ParameterValue(parameter, recommendation.recommended_value),
        confidence: recommendation.confidence,
        expected_improvement: recommendation.expected_improvement,
        reason: &recommendation.reason,
        predicted: recommendation.outlook.map(Predicted::from),
        apply: view.apply.get(&recommendation.rule).cloned(),
        applied: recommendation.applied,
    }
}

/// As the API tells time.
pub(super) fn unix_seconds(at: Timestamp) -> f64 {
    at.as_unix_seconds()
}
