//! The report: for each workload and in all, what each policy made of the caches, how often the
//! judge was right, and how far predictions were off.

use std::io::Write;
use std::ops::RangeInclusive;

use cache_tuner_exporter::stats;
use serde_json::Value;
use serde_json::json;

use super::judging;
use super::measure;
use super::measure::Measurement;
use super::options::Options;
use super::options::Plan;
use super::predicting::Errors;
use super::subject::Kind;
use super::subject::Subject;
use super::tally::Figures;
use super::tally::PRICE;
use super::triggered::Triggered;
use super::triggered::Worth;
use super::verdicts::Verdicts;

/// Means over seeds and caches.
#[derive(Debug)]
pub(crate) struct Report {
    seeds: RangeInclusive<u64>,
    ticks: u64,
    policies: Vec<&'static str>,
    workloads: Vec<Section>,
    summaries: Vec<Section>,
}

/// The figures for one workload, or for several together; empty where a section was not wanted.
#[derive(Debug)]
struct Section {
    name: String,
    figures: Vec<Figures>,
    verdicts: Vec<Verdicts>,
    errors: Errors,
    triggered: Option<Triggered>,
}

// === impl Report ===

impl Report {
    /// Sums up what was measured, by subject and seed.
    pub(crate) fn new(
        subjects: &[Subject],
        measured: &[Vec<Measurement>],
        options: &Options,
        plan: &Plan,
    ) -> Self {
        let policies = measure::names().into_iter().filter(|name| options.wants_policy(name));
        let (policies, seeds) = (policies.collect(), options.seeds());
        let section = |name: &str, chosen: &dyn Fn(&Subject) -> bool| {
            let pairs = subjects.iter().zip(measured).filter(|(subject, _)| chosen(subject));
            let runs: Vec<&Measurement> = pairs.flat_map(|(_, runs)| runs).collect();
            let of_policy = |at: usize| -> Vec<Figures> {
                runs.iter().flat_map(|run| run.policies[at].clone()).collect()
            };
            let first = runs.first()?;
            let figures = (0..first.policies.len()).map(|at| Figures::mean(&of_policy(at)));
            let verdicts = (0..first.verdicts.len())
                .map(|at| Verdicts::sum(runs.iter().map(|run| &run.verdicts[at])));
            let errors = Errors::join(runs.iter().map(|run| &run.errors));
            let triggered = first
                .triggered
                .is_some()
                .then(|| Triggered::join(runs.iter().filter_map(|run| run.triggered.as_ref())));
            let (figures, verdicts) = (figures.collect(), verdicts.collect());
            Some(Section { name: name.to_owned(), figures, verdicts, errors, triggered })
        };
        let workloads = subjects.iter().filter_map(|subject| {
            section(subject.name(), &|other: &Subject| std::ptr::eq(subject, other))
        });
        let summaries = [
            ("all plain workloads", Kind::Plain),
            ("all disturbed workloads", Kind::Disturbed),
            ("all traces", Kind::Trace),
        ];
        let summaries = summaries
            .into_iter()
            .filter_map(|(name, kind)| section(name, &|subject: &Subject| subject.kind() == kind));
        Self {
            seeds,
            ticks: plan.measured_ticks,
            workloads: workloads.collect(),
            summaries: summaries.collect(),
            policies,
        }
    }

    /// For people.
    pub(crate) fn write_text(&self, output: &mut impl Write) -> std::io::Result<()> {
        let (first, last) = (self.seeds.start(), self.seeds.end());
        writeln!(output, "Tuning quality, seeds {first} to {last}, {} ticks.", self.ticks)?;
        writeln!(
            output,
            "Means over seeds and caches. Capacity is against the base; U = hit rate - {PRICE} * \
             capacity; changes and reversals are per cache."
        )?;
        for section in self.workloads.iter().chain(&self.summaries) {
            let Section { name, figures, .. } = section;
            if figures.is_empty() {
                writeln!(output, "\n{name}")?;
            } else {
                writeln!(output, "\n{name:<24} hit rate  capacity        U   changes  reversals")?;
            }
            for (policy, figures) in self.policies.iter().zip(figures) {
                let Figures { hit_rate, capacity_ratio, utility, changes, reversals } = figures;
                writeln!(
                    output,
                    "  {policy:<22} {hit_rate:>8.3}  {capacity_ratio:>8.2}  {utility:>7.3}  \
                     {changes:>8.1}  {reversals:>9.1}"
                )?;
            }
            section.write_judge(output)?;
            section.write_predictor(output)?;
            section.write_triggered(output)?;
        }
        Ok(())
    }

    /// For programs.
    pub(crate) fn write_json(&self, output: &mut impl Write) -> std::io::Result<()> {
        let sections = |sections: &[Section]| -> Vec<Value> {
            sections
                .iter()
                .map(|section| {
                    json!({
                        "name": section.name,
                        "policies": self.rows(section),
                        "judge": section.judge(),
                        "predictor": section.predictor(),
                        "rules": section.rules(),
                    })
                })
                .collect()
        };
        let report = json!({
            "seeds": [self.seeds.start(), self.seeds.end()],
            "ticks": self.ticks,
            "workloads": sections(&self.workloads),
            "summaries": sections(&self.summaries),
        });
        writeln!(output, "{report:#}")
    }

    fn rows(&self, section: &Section) -> Vec<Value> {
        let row = |(policy, figures): (&&str, &Figures)| {
            let Figures { hit_rate, capacity_ratio, utility, changes, reversals } = figures;
            json!({
                "policy": policy,
                "hit_rate": hit_rate,
                "capacity_ratio": capacity_ratio,
                "utility": utility,
                "changes": changes,
                "reversals": reversals,
            })
        };
        self.policies.iter().zip(&section.figures).map(row).collect()
    }
}

fn write_verdicts(output: &mut impl Write, name: &str, verdicts: &Verdicts) -> std::io::Result<()> {
    write!(output, "  {name}, {} tunings:", verdicts.cases())?;
    for (index, (name, rate)) in verdicts.rates().into_iter().enumerate() {
        let separator = if index % 5 == 0 { "\n    " } else { ", " };
        write!(output, "{separator}{}", name.replace('_', " "))?;
        match rate {
            Some(rate) => write!(output, " {rate:.3}")?,
            None => write!(output, " -")?,
        }
    }
    writeln!(output)
}

// === impl Section ===

impl Section {
    fn write_judge(&self, output: &mut impl Write) -> std::io::Result<()> {
        for (variant, verdicts) in judging::VARIANTS.iter().zip(&self.verdicts) {
            write_verdicts(output, &format!("judge {}", variant.name), verdicts)?;
        }
        Ok(())
    }

    fn write_triggered(&self, output: &mut impl Write) -> std::io::Result<()> {
        let Some(triggered) = &self.triggered else { return Ok(()) };
        write_verdicts(output, "rule-triggered", &triggered.verdicts)?;
        for (name, worth) in triggered.worths() {
            let Some(Worth { calibration_error, brier_score }) = worth else { continue };
            writeln!(
                output,
                "  {name} confidences: calibration error {calibration_error:.4}, Brier score \
                 {brier_score:.4}"
            )?;
        }
        Ok(())
    }

    fn rules(&self) -> Value {
        let Some(triggered) = &self.triggered else { return Value::Null };
        let worths: serde_json::Map<String, Value> = triggered
            .worths()
            .into_iter()
            .map(|(name, worth)| {
                let worth = worth.map(|worth| {
                    json!({
                        "calibration_error": worth.calibration_error,
                        "brier_score": worth.brier_score,
                    })
                });
                (format!("{name}_confidence"), worth.into())
            })
            .collect();
        json!({"verdicts": triggered.verdicts.to_json(), "worth": worths})
    }

    fn judge(&self) -> Vec<Value> {
        let pairs = judging::VARIANTS.iter().zip(&self.verdicts);
        pairs
            .map(|(variant, verdicts)| {
                json!({"variant": variant.name, "verdicts": verdicts.to_json()})
            })
            .collect()
    }

    fn write_predictor(&self, output: &mut impl Write) -> std::io::Result<()> {
        let Errors { one_point, two_points } = &self.errors;
        let Some((one, two)) = stats::median(one_point).zip(stats::median(two_points)) else {
            return Ok(());
        };
        writeln!(
            output,
            "  predictor, {} changes: median error {one:.4} from one point, {two:.4} from two",
            one_point.len()
        )
    }

    fn predictor(&self) -> Value {
        let Errors { one_point, two_points } = &self.errors;
        json!({
            "changes": one_point.len(),
            "median_error_one_point": stats::median(one_point),
            "median_error_two_points": stats::median(two_points),
        })
    }
}
