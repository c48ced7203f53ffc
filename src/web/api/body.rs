//! The body of a call that changes something: a JSON object. All that is wrong with one is told at
//! once, as with a configuration.

use serde_json::Map;
use serde_json::Value;

use crate::outcome::Outcome;
use crate::suggest;
use crate::web::answer::ApiError;
use crate::web::api::Call;
use crate::web::api::place::Place;
use crate::web::orders::Deed;

/// Faults that a message tells at most: a body may consist of nothing else.
const FAULTS_TOLD_MAX: usize = 10;

/// Keys of a call that puts a recommendation in force.
const KEYS: &[&str] = &["scrape_job", "target", "cache", "rule"];

/// Keys of a call that tells an outcome.
const OUTCOME_KEYS: &[&str] = &["scrape_job", "target", "cache", "rule", "outcome", "improvement"];

/// What a call wants.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::web) struct Wanted {
    scrape_job: Option<String>,
    target: String,
    cache: Option<String>,
    pub(in crate::web) rule: String,
    pub(in crate::web) deed: Deed,
}

impl Wanted {
    /// The cache that is meant.
    pub(in crate::web) fn place(&self) -> Place<'_> {
        Place {
            scrape_job: self.scrape_job.as_deref(),
            target: &self.target,
            cache: self.cache.as_deref(),
        }
    }
}

/// A body while it is read.
struct Reader {
    object: Map<String, Value>,
    faults: Vec<String>,
}

/// Reads the body of a call.
pub(in crate::web) fn read(bytes: &[u8], call: Call) -> Result<Wanted, ApiError> {
    let object = serde_json::from_slice(bytes)
        .map_err(|fault| ApiError::BadData(format!("the body is no JSON object: {fault}")))?;
    let mut reader = Reader { object, faults: Vec::new() };
    let scrape_job = reader.text("scrape_job");
    let target = reader.required("target");
    let cache = reader.text("cache");
    let rule = reader.required("rule");
    let (deed, keys) = match call {
        Call::Outcomes => (reader.report(), OUTCOME_KEYS),
        _ => (Some(Deed::Force), KEYS),
    };
    reader.refuse_others(keys);
    match (target, rule, deed) {
        (Some(target), Some(rule), Some(deed)) if reader.faults.is_empty() => {
            Ok(Wanted { scrape_job, target, cache, rule, deed })
        }
        _ => Err(reader.fault()),
    }
}

impl Reader {
    /// A value that is written; `null` is as good as nothing.
    fn take(&mut self, key: &str) -> Option<Value> {
        self.object.shift_remove(key).filter(|value| !value.is_null())
    }

    /// A text that may be missing; an empty one is.
    fn text(&mut self, key: &str) -> Option<String> {
        let Value::String(text) = self.take(key)? else {
            self.faults.push(format!("`{key}` is no text"));
            return None;
        };
        Some(text).filter(|text| !text.is_empty())
    }

    fn required(&mut self, key: &str) -> Option<String> {
        let faults = self.faults.len();
        let text = self.text(key);
        if text.is_none() && self.faults.len() == faults {
            self.faults.push(format!("`{key}` is missing"));
        }
        text
    }

    fn report(&mut self) -> Option<Deed> {
        let outcome = self.outcome();
        let improvement = self.improvement();
        if outcome == Some(Outcome::Improved) && improvement.is_some_and(|value| value < 0.0) {
            self.faults.push("`improvement` is negative, and `outcome` is `improved`".to_owned());
        }
        Some(Deed::Report { outcome: outcome?, improvement })
    }

    fn outcome(&mut self) -> Option<Outcome> {
        let name = self.required("outcome")?;
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.name() == name);
        if outcome.is_none() {
            let names = Outcome::ALL.map(|outcome| format!("`{}`", outcome.name())).join(", ");
            self.faults.push(format!("`outcome` is `{name}`, and not one of {names}"));
        }
        outcome
    }

    fn improvement(&mut self) -> Option<f64> {
        let value = self.take("improvement")?;
        let number = value.as_f64().filter(|number| number.is_finite());
        if number.is_none() {
            self.faults.push("`improvement` is no number".to_owned());
        }
        number
    }

    /// What is left has a key that nobody reads.
    fn refuse_others(&mut self, keys: &[&'static str]) {
        for key in self.object.keys() {
            let hint = suggest::closest(key, keys.iter().copied());
            let hint = hint.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
            self.faults.push(format!("there is no key `{key}`{hint}"));
        }
    }

    fn fault(mut self) -> ApiError {
        let more = self.faults.len().saturating_sub(FAULTS_TOLD_MAX);
        self.faults.truncate(FAULTS_TOLD_MAX);
        if more > 0 {
            self.faults.push(format!("and {more} more"));
        }
        ApiError::BadData(self.faults.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(outcome: Outcome, improvement: Option<f64>) -> Deed {
        Deed::Report { outcome, improvement }
    }

    #[track_caller]
    fn check(call: Call, body: &str, want: (&str, &str, &str, &str, Deed)) {
        let wanted = read(body.as_bytes(), call).unwrap();
        let Place { scrape_job, target, cache } = wanted.place();
        let names = (scrape_job.unwrap_or_default(), target, cache.unwrap_or_default());
        let got = (names.0, names.1, names.2, &*wanted.rule, wanted.deed);
        assert_eq!(got, want, "{body}");
    }

    #[track_caller]
    fn check_faults(call: Call, body: &str, want: &str) {
        match read(body.as_bytes(), call) {
            Err(ApiError::BadData(message)) => assert_eq!(message, want, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn names_that_are_not_needed_may_be_left_out() {
        let all = r#"{"scrape_job": "a", "target": "b:1", "cache": "c", "rule": "r"}"#;
        check(Call::Tunings, all, ("a", "b:1", "c", "r", Deed::Force));
        let few = r#"{"target": "b:1", "rule": "r", "cache": null, "scrape_job": ""}"#;
        check(Call::Tunings, few, ("", "b:1", "", "r", Deed::Force));
    }

    #[test]
    fn outcomes_come_with_or_without_a_number() {
        for (more, want) in [
            (r#""improved""#, outcome(Outcome::Improved, None)),
            (r#""improved", "improvement": 0.25"#, outcome(Outcome::Improved, Some(0.25))),
            (r#""degraded", "improvement": -1"#, outcome(Outcome::Degraded, Some(-1.0))),
            (r#""void", "improvement": null"#, outcome(Outcome::Void, None)),
        ] {
            let body = format!(r#"{{"target": "b:1", "rule": "r", "outcome": {more}}}"#);
            check(Call::Outcomes, &body, ("", "b:1", "", "r", want));
        }
    }

    #[test]
    fn all_faults_come_at_once() {
        let empty = "`target` is missing; `rule` is missing";
        check_faults(Call::Tunings, "{}", empty);
        check_faults(Call::Outcomes, "{}", &format!("{empty}; `outcome` is missing"));
        check_faults(
            Call::Outcomes,
            r#"{"target": 7, "rul": "r", "outcome": "better", "improvement": "much"}"#,
            "`target` is no text; `rule` is missing; `outcome` is `better`, and not one of \
             `improved`, `degraded`, `inconclusive`, `void`; `improvement` is no number; there is \
             no key `rul`: did you mean `rule`?",
        );
        check_faults(
            Call::Tunings,
            r#"{"target": "b:1", "rule": "r", "outcome": "void"}"#,
            "there is no key `outcome`",
        );
        check_faults(
            Call::Outcomes,
            r#"{"target": "b:1", "rule": "r", "outcome": "improved", "improvement": -0.1}"#,
            "`improvement` is negative, and `outcome` is `improved`",
        );
    }

    #[test]
    fn faults_without_end_are_cut() {
        let keys: Vec<String> = (0..50).map(|number| format!("\"zzz{number}\": 0")).collect();
        let body = format!("{{{}}}", keys.join(","));
        let Err(fault) = read(body.as_bytes(), Call::Tunings) else { panic!("{body}") };
        assert!(fault.to_string().ends_with("; and 42 more"), "{fault}");
    }

    #[test]
    fn what_is_no_object_is_told_with_its_place() {
        for (body, want) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("[]", "invalid type: sequence, expected a map at line 1 column 0"),
            (r#"{"target": "#, "EOF while parsing a value at line 1 column 11"),
            (r#"{"improvement": 1e999}"#, "number out of range at line 1 column 21"),
            ("target=b", "expected ident at line 1 column 2"),
        ] {
            let want = format!("the body is no JSON object: {want}");
            check_faults(Call::Outcomes, body, &want);
        }
    }
}
