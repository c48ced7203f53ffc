//! The names that a rule's condition may use, and their values.

use crate::expr::Inputs;
use crate::expr::NameKind;
use crate::expr::NameRef;
use crate::expr::Names;
use crate::expr::Type;
use crate::expr::Value;
use crate::expr::WindowFunction;
use crate::parameter::Parameter;
use crate::rule::Situation;
use crate::rule::Threshold;
use crate::signal::Signal;
use crate::tuning_config::TuningConfig;

/// A key of `tuning` that conditions may use.
struct Setting {
    name: &'static str,
    value: fn(&TuningConfig) -> Value,
}

const SETTINGS: [Setting; 6] = [
    Setting {
        name: "enable_adaptive_tuning",
        value: |config| Value::Boolean(config.enable_adaptive_tuning),
    },
    Setting {
        name: "min_confidence_for_auto_tuning",
        value: |config| Value::Number(config.min_confidence_for_auto_tuning),
    },
    Setting {
        name: "min_samples_for_tuning",
        value: |config| Value::Number(config.min_samples_for_tuning as f64),
    },
    Setting {
        name: "performance_window_size",
        value: |config| Value::Number(config.performance_window_size as f64),
    },
    Setting { name: "target_hit_rate", value: |config| Value::Number(config.target_hit_rate) },
    // In seconds.
    Setting {
        name: "tuning_interval",
        value: |config| Value::Number(config.tuning_interval.as_secs_f64()),
    },
];

/// Whether a name already means something without being a threshold.
pub(super) fn is_taken(name: &str) -> bool {
    RuleNames { thresholds: &[] }.resolve(name).is_some()
}

/// Resolves the names of a condition when its file is loaded.
pub(super) struct RuleNames<'a> {
    pub(super) thresholds: &'a [Threshold],
}

impl Names for RuleNames<'_> {
    fn resolve(&self, name: &str) -> Option<(NameRef, Type)> {
        let found = |kind, index, r#type| Some((NameRef { kind, index }, r#type));
        if let Some(signal) = Signal::from_name(name) {
            return found(NameKind::Signal, signal as usize, Type::Number);
        }
        if let Some(index) = self.thresholds.iter().position(|known| known.name == name) {
            return found(NameKind::Threshold, index, Type::Number);
        }
        if let Some(parameter) = Parameter::from_name(name) {
            return found(NameKind::Parameter, parameter as usize, Type::Number);
        }
        let index = SETTINGS.iter().position(|setting| setting.name == name)?;
        let r#type = match (SETTINGS[index].value)(&TuningConfig::default()) {
            Value::Boolean(_) => Type::Boolean,
            Value::Number(_) => Type::Number,
        };
        found(NameKind::Setting, index, r#type)
    }

    fn candidates(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.thresholds.iter().map(|t| t.name.as_str()).collect();
        names.extend(Signal::ALL.map(Signal::name));
        names.extend(Parameter::ALL.map(Parameter::name));
        names.extend(SETTINGS.iter().map(|setting| setting.name));
        names
    }
}

/// The values that a condition is evaluated over.
pub(super) struct RuleInputs<'a> {
    pub(super) thresholds: &'a [Threshold],
    pub(super) situation: &'a Situation<'a>,
}

impl Inputs for RuleInputs<'_> {
    fn name(&self, name: NameRef) -> Option<Value> {
        let Situation { history, parameters, config, .. } = *self.situation;
        match name.kind {
            NameKind::Parameter => {
                Some(Value::Number(parameters.value(*Parameter::ALL.get(name.index)?)))
            }
            NameKind::Setting => SETTINGS.get(name.index).map(|setting| (setting.value)(config)),
            NameKind::Signal => {
                let signal = *Signal::ALL.get(name.index)?;
                history.latest_value(signal).map(Value::Number)
            }
            NameKind::Threshold => {
                self.thresholds.get(name.index).map(|threshold| Value::Number(threshold.value))
            }
        }
    }

    fn window(
        &self,
        function: WindowFunction,
        signal: NameRef,
        count: Option<usize>,
    ) -> Option<f64> {
        let history = self.situation.history;
        let signal = *Signal::ALL.get(signal.index)?;
        match function {
            WindowFunction::Max => history.max(signal),
            WindowFunction::Mean => history.mean(signal),
            WindowFunction::Min => history.min(signal),
            WindowFunction::Newest => history.newest(signal, count?),
            WindowFunction::Oldest => history.oldest(signal, count?),
            WindowFunction::Slope => history.slope(signal),
            WindowFunction::Stddev => history.stddev(signal),
        }
    }

    fn samples(&self) -> usize {
        self.situation.history.len()
    }
}
