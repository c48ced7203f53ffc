//! Evaluators of expressions. They get `newest` and `oldest` of our own windows as functions, so
//! that they differ from ours in the language alone.

use std::collections::BTreeMap;
use std::rc::Rc;

use cache_tuner_exporter::history::History;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::Window;
use fasteval::Compiler;
use fasteval::Evaler;
use rhai::Engine;
use rhai::Scope;

use crate::rounds::Subject;

const DECLINE: f64 = 0.05;
const TARGET_HIT_RATE: f64 = 0.9;

/// The rule of the aim in the words of both: they know no signals, so those are numbers.
const RULE: &str = "newest(hit_rate, 3) < oldest(hit_rate, 3) - decline \
                    && newest(hit_rate, 3) < target_hit_rate";

/// fasteval, compiled; a function of its own answers names, which is its fast way.
pub(crate) fn fasteval(window: Window) -> anyhow::Result<Subject<'static>> {
    let mut slab = fasteval::Slab::new();
    let parsed = fasteval::Parser::new().parse(RULE, &mut slab.ps)?;
    let compiled = parsed.from(&slab.ps).compile(&slab.ps, &mut slab.cs);
    let mut names = move |name: &str, arguments: Vec<f64>| match name {
        "newest" => whole(&window).newest(signal(arguments.first())?, count(arguments.get(1))?),
        "oldest" => whole(&window).oldest(signal(arguments.first())?, count(arguments.get(1))?),
        "hit_rate" => Some(f64::from(Signal::HitRate as u8)),
        "decline" => Some(DECLINE),
        "target_hit_rate" => Some(TARGET_HIT_RATE),
        _ => None,
    };
    Ok(Subject::new("fasteval 0.2, compiled", move || compiled.eval(&slab, &mut names).ok()))
}

fn whole(window: &Window) -> History<'_> {
    History::newest_of(window, window.len())
}

fn signal(argument: Option<&f64>) -> Option<Signal> {
    Signal::ALL.get(count(argument)?).copied()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "every argument in the rule is a small whole number"
)]
fn count(argument: Option<&f64>) -> Option<usize> {
    argument.map(|count| *count as usize)
}

/// rhai, parsed and optimised once, with the names in a scope.
pub(crate) fn rhai(window: Window) -> anyhow::Result<Subject<'static>> {
    let mut engine = Engine::new_raw();
    let window = Rc::new(window);
    let shared = Rc::clone(&window);
    engine.register_fn("newest", move |signal: i64, count: i64| -> f64 {
        let signal = signal_at(signal);
        let value = signal.and_then(|s| whole(&shared).newest(s, usize::try_from(count).ok()?));
        value.unwrap_or(f64::NAN)
    });
    let shared = Rc::clone(&window);
    engine.register_fn("oldest", move |signal: i64, count: i64| -> f64 {
        let signal = signal_at(signal);
        let value = signal.and_then(|s| whole(&shared).oldest(s, usize::try_from(count).ok()?));
        value.unwrap_or(f64::NAN)
    });
    let mut scope = Scope::new();
    let names = [("decline", DECLINE), ("target_hit_rate", TARGET_HIT_RATE)];
    for (name, value) in BTreeMap::from(names) {
        scope.push_constant(name, value);
    }
    scope.push_constant("hit_rate", Signal::HitRate as i64);
    let tree = engine.compile_expression(RULE)?;
    Ok(Subject::new("rhai 1, parsed", move || {
        engine.eval_ast_with_scope::<bool>(&mut scope, &tree).ok()
    }))
}

fn signal_at(index: i64) -> Option<Signal> {
    Signal::ALL.get(usize::try_from(index).ok()?).copied()
}
