//! From a tuning to its outcome, and what follows: counts, trust, rest, and the way back.

use std::time::Duration;

use crate::judge;
use crate::judge::Case;
use crate::judge::Held;
use crate::judge::Judgement;
use crate::judge::Look;
use crate::judge::Reason;
use crate::judge::Span;
use crate::judge::Track;
use crate::outcome::Outcome;
use crate::signal::Signal;
use crate::tuner::AdaptiveTuner;
use crate::tuner::Origin;
use crate::tuner::Outlook;
use crate::tuner::Tuning;
use crate::tuner::TuningEvent;
use crate::tuner::Verdict;
use crate::units::Timestamp;

/// Standard errors by which a gain may exceed its prediction.
const PREDICTION_ERRORS: f64 = 2.0;

/// What the judge says of the pending tuning now.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The look that was taken.
    pub look: Look,
    /// What was seen.
    pub judgement: Judgement,
}

impl AdaptiveTuner {
    /// The span for which siblings must have been left alone to be controls, if a look at the
    /// pending tuning is due.
    pub fn look_span(&self, now: Timestamp) -> Option<Span> {
        let tuning = self.pending.as_ref()?;
        if tuning.is_awaited() {
            return self
                .is_overdue(tuning.decided_at, now)
                .then_some(Span { start: now, end: now });
        }
        self.case(tuning, &[], &[], now).due(tuning.first_look_done)?;
        Some(Span { start: self.held_from(tuning.held), end: now })
    }

    fn held_from(&self, held: Held) -> Timestamp {
        let before = self.track.iter().rev().filter(|sample| sample.timestamp <= held.until);
        before.take(held.samples).last().map_or(held.until, |sample| sample.timestamp)
    }

    /// Judges the pending tuning if a look is due; `controls` are histories of siblings that were
    /// left alone meanwhile.
    pub fn assess(&self, controls: &[&Track], now: Timestamp) -> Option<Assessment> {
        let tuning = self.pending.as_ref()?;
        let others = self.touched_spans(Some(tuning.number));
        let case = self.case(tuning, controls, &others, now);
        let look = if tuning.is_awaited() {
            self.is_overdue(tuning.decided_at, now).then_some(Look::Last)?
        } else {
            case.due(tuning.first_look_done)?
        };
        Some(Assessment { look, judgement: judge::judge(&case, look) })
    }

    pub(super) fn case<'a>(
        &'a self,
        tuning: &Tuning,
        controls: &'a [&'a Track],
        others: &'a [Span],
        now: Timestamp,
    ) -> Case<'a> {
        let is_hit_rate = tuning.objective.signal == Signal::HitRate;
        let outlook = tuning.outlook.filter(|_| is_hit_rate);
        Case {
            objective: tuning.objective,
            kind: tuning.kind(),
            track: &self.track,
            controls,
            held: tuning.held,
            adopted_at: tuning.adopted_at,
            skip: tuning.skip,
            others,
            // What it may well be: an unsure prediction makes no gain too good to be true.
            predicted: outlook.map(|outlook| outlook.gain + PREDICTION_ERRORS * outlook.error),
            saving: outlook.map_or(0.0, |outlook| saving(outlook, tuning.origin)),
            now,
        }
    }

    /// Takes in what was seen of the pending tuning. Returns the outcome once there is one;
    /// `controls` names the siblings in the order of those that [`assess`](Self::assess) got.
    pub fn conclude(
        &mut self,
        assessment: Assessment,
        controls: &[String],
        now: Timestamp,
    ) -> Option<Outcome> {
        let Assessment { look, judgement } = assessment;
        let tuning = self.pending.as_mut()?;
        tuning.first_look_done |= look == Look::First;
        self.is_changed |= look == Look::First;
        let (rule, parameter) = (tuning.rule.clone(), tuning.parameter);
        let is_telling = judgement.reason != Reason::HistoryTooShort;
        if let Some(effect) = judgement.minimum_detectable_effect.filter(|_| is_telling) {
            let note = |counts: &mut crate::tuner::RuleCounts| {
                counts.minimum_detectable_effect = Some(effect);
            };
            self.ledger.update(&rule, parameter, note);
        }
        // Where the last look has nothing to say, there is nothing to wait for.
        let is_last = look == Look::Last;
        let outcome = judgement.outcome.or(is_last.then_some(Outcome::Inconclusive))?;
        let improvement = judgement.improvement;
        let chosen = judgement.controls.iter().filter_map(|index| controls.get(*index));
        let verdict = Verdict {
            at: now,
            outcome,
            controls: chosen.cloned().collect(),
            judgement: Some(judgement),
            look: Some(look),
            rolled_back: false,
        };
        self.settle(verdict, improvement, now)
    }

    /// Takes in an outcome that is known from elsewhere. One of the pending tuning of that rule
    /// ends it; without one it is counted only. `false` for a rule that is not known.
    pub fn report_outcome(
        &mut self,
        rule: &str,
        outcome: Outcome,
        improvement: Option<f64>,
        now: Timestamp,
    ) -> bool {
        let Some(parameter) = self.ledger.parameter_of(rule) else { return false };
        let improvement = improvement.filter(|value| value.is_finite());
        if self.pending.as_ref().is_some_and(|p| *p.rule == *rule && p.origin.is_real()) {
            let verdict = Verdict {
                at: now,
                outcome,
                judgement: None,
                look: None,
                controls: Vec::new(),
                rolled_back: false,
            };
            self.settle(verdict, improvement, now);
        } else {
            self.ledger.count_outcome(rule, parameter, outcome);
            self.is_changed = true;
            self.earn(rule, outcome, improvement, now);
        }
        true
    }

    /// Ends the pending tuning with `verdict`; `improvement` is relative.
    fn settle(
        &mut self,
        mut verdict: Verdict,
        improvement: Option<f64>,
        now: Timestamp,
    ) -> Option<Outcome> {
        let tuning = self.pending.take()?;
        let outcome = verdict.outcome;
        if tuning.origin == Origin::Shadow {
            self.ledger.update(&tuning.rule, tuning.parameter, |counts| {
                counts.shadow_outcomes[outcome as usize] += 1;
            });
            self.rest(&tuning, now);
            self.events.push(TuningEvent::judged(tuning, verdict));
            return Some(outcome);
        }
        self.ledger.count_outcome(&tuning.rule, tuning.parameter, outcome);
        self.earn(&tuning.rule, outcome, improvement, now);
        self.learn(&tuning, &verdict);
        self.rest(&tuning, now);
        if tuning.is_awaited() {
            // Never taken over: what runs is what was in force before.
            self.change(tuning.parameter, tuning.from);
            self.touches.retain(|touch| touch.number != tuning.number);
        } else if outcome == Outcome::Degraded && tuning.origin != Origin::External {
            self.undo(&tuning, now);
            verdict.rolled_back = true;
            self.ledger.update(&tuning.rule, tuning.parameter, |counts| counts.rollbacks += 1);
        }
        self.events.push(TuningEvent::judged(tuning, verdict));
        Some(outcome)
    }

    /// What an outcome does to the rule's trust here and to the cache's statistics.
    fn earn(&mut self, rule: &str, outcome: Outcome, improvement: Option<f64>, now: Timestamp) {
        let is_improved = match outcome {
            Outcome::Improved => true,
            Outcome::Degraded => false,
            Outcome::Inconclusive | Outcome::Void => return,
        };
        self.is_changed = true;
        self.trust.entry(rule.into()).or_default().record(is_improved, now);
        self.stats.record_outcome(is_improved, improvement);
    }

    /// A judged change of size tells how the hit rate follows it.
    fn learn(&mut self, tuning: &Tuning, verdict: &Verdict) {
        if let Some(observation) = verdict.observation(tuning) {
            self.sizing.learn(tuning.parameter, observation);
        }
    }

    /// Leaves the cache alone for a while, and the rule for longer after failures.
    fn rest(&mut self, tuning: &Tuning, now: Timestamp) {
        let overrides = self.rules.find(&tuning.rule).map(|rule| rule.feedback);
        let feedback = self.config.feedback.with(&overrides.unwrap_or_default());
        let samples = u32::try_from(feedback.cooldown_samples).unwrap_or(u32::MAX);
        let usual = self.track.pace().unwrap_or_default().saturating_mul(samples);
        let limit = |duration: Duration| duration.min(feedback.cooldown_max.max(usual));
        self.rests_until = Some(now + limit(usual));
        if let Some(trust) = self.trust.get_mut(&tuning.rule) {
            let rest = usual.saturating_mul(trust.rest_factor());
            trust.rests_until = Some(now + limit(rest));
            trust.held = 0;
        }
    }

    /// Ends the pending tuning because another hand changed the cache at `now`.
    pub(super) fn abandon(&mut self, now: Timestamp) {
        let Some(tuning) = self.pending.take() else { return };
        let is_shadow = tuning.origin == Origin::Shadow;
        self.ledger.update(&tuning.rule, tuning.parameter, |counts| {
            let outcomes =
                if is_shadow { &mut counts.shadow_outcomes } else { &mut counts.outcomes };
            outcomes[Outcome::Void as usize] += 1;
        });
        if tuning.is_awaited() {
            self.change(tuning.parameter, tuning.from);
        }
        let verdict = Verdict {
            at: now,
            outcome: Outcome::Void,
            judgement: Some(Judgement::bare(Reason::Overlapping)),
            look: None,
            controls: Vec::new(),
            rolled_back: false,
        };
        self.events.push(TuningEvent::judged(tuning, verdict));
    }

    /// The same for a shadow, which gives way to any real tuning.
    pub(super) fn abandon_shadow(&mut self, now: Timestamp) {
        if self.pending.as_ref().is_some_and(|pending| pending.origin == Origin::Shadow) {
            self.abandon(now);
        }
    }

    /// What time alone changes: gives up waiting for a cache to follow.
    pub fn tick(&mut self, now: Timestamp) {
        self.expire_undoing(now);
    }
}

/// What the size that a tuning gives back is worth. A shadow gives nothing back: it would else be
/// an improvement whatever the hits do, as if savings came by themselves. What a growth has to pay
/// for, its shadow has to bring as well.
fn saving(outlook: Outlook, origin: Origin) -> f64 {
    if origin.is_real() { outlook.saving } else { outlook.saving.min(0.0) }
}
