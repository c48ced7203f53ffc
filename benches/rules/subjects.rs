//! Which rules are evaluated over which windows.

use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::history::History;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::Rule;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::rule::Situation;
use cache_tuner_exporter::rule::Verdict;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::snapshot::Window;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::tuner::TuningParameters;

use crate::by_hand;
use crate::by_hand::Columns;
use crate::peers;
use crate::rounds::Subject;
use crate::samples;
use crate::windows;

/// The rule that the aim is about.
const AIM: &str = "hit_rate_declining";

/// Caches that are asked in turn, so that each one's window comes from memory: 96 MiB of them.
const MANY: u64 = 10_000;

/// Rules, windows, and everything else that a rule is evaluated over.
pub(crate) struct Setting {
    rules: RuleSet,
    config: TuningConfig,
    parameters: TuningParameters,
    snapshots: Vec<PerformanceSnapshot>,
    columns: Columns,
    window: Window,
    many: Vec<Window>,
    many_columns: Vec<Columns>,
}

/// The subjects of a table, and of how many evaluations each piece of work consists.
pub(crate) struct Table<'a> {
    pub(crate) all: Vec<Subject<'a>>,
    pub(crate) parts: f64,
}

impl Setting {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let sizing = include_str!("../../rules/tuning/sizing.yaml");
        let (name, default) = rule::BUILT_IN;
        let files = [SourceFile::new(name, default), SourceFile::new("sizing", sizing)];
        let (rules, _) = rule::load(&files).map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
        let snapshots = samples::snapshots(0, samples::SAMPLES);
        let many = (0..MANY).map(|seed| samples::snapshots(seed, samples::SAMPLES));
        Ok(Self {
            rules,
            config: TuningConfig::default(),
            parameters: TuningParameters::default(),
            columns: Columns::new(&snapshots),
            snapshots,
            window: windows::window(0),
            many: (0..MANY).map(windows::window).collect(),
            many_columns: many.map(|snapshots| Columns::new(&snapshots)).collect(),
        })
    }

    pub(crate) fn tables(&self) -> anyhow::Result<Vec<(String, Table<'_>)>> {
        let aim = self.rules.find(AIM).ok_or_else(|| anyhow::anyhow!("no rule `{AIM}`"))?;
        let mut tables = vec![
            (format!("{AIM}: {}, one cache", aim.when), self.aim(aim)?),
            (format!("{AIM}, {MANY} caches in turn"), self.of_many(aim)?),
        ];
        for rule in self.rules.iter() {
            let both = vec![self.by_hand(rule)?, self.ours_of(rule)];
            tables.push((format!("{}: {}", rule.name, rule.when), Table { all: both, parts: 1.0 }));
        }
        let subjects = vec![self.push(), self.push_and_rules()];
        let rules = self.rules.len() as f64;
        let title = format!("a new snapshot, then all {rules} rules twice; per rule");
        tables.push((title, Table { all: subjects, parts: 2.0 * rules }));
        Ok(tables)
    }

    /// The program's own, for criterion.
    pub(crate) fn ours(&self) -> Vec<Subject<'_>> {
        let rules = self.rules.iter().map(|rule| self.ours_of(rule));
        rules.chain([self.push_and_rules()]).collect()
    }

    fn aim<'a>(&'a self, aim: &'a Rule) -> anyhow::Result<Table<'a>> {
        let all = vec![
            self.by_hand(aim)?,
            self.ours_of(aim),
            peers::fasteval(self.window.clone())?,
            peers::rhai(self.window.clone())?,
        ];
        Ok(Table { all, parts: 1.0 })
    }

    fn of_many<'a>(&'a self, aim: &'a Rule) -> anyhow::Result<Table<'a>> {
        let mut columns = self.many_columns.iter().cycle();
        let mut windows = self.many.iter().cycle();
        let by_hand = by_hand::rule(&aim.name).ok_or_else(|| unwritten(aim))?;
        let all = vec![
            Subject::new("by hand", move || columns.next().and_then(by_hand)),
            Subject::new("ours", move || windows.next().map(|window| self.verdict(aim, window))),
        ];
        Ok(Table { all, parts: 1.0 })
    }

    fn by_hand(&self, rule: &Rule) -> anyhow::Result<Subject<'_>> {
        let evaluate = by_hand::rule(&rule.name).ok_or_else(|| unwritten(rule))?;
        let columns = &self.columns;
        Ok(Subject::new("by hand", move || evaluate(std::hint::black_box(columns))))
    }

    fn ours_of<'a>(&'a self, rule: &'a Rule) -> Subject<'a> {
        Subject::new(format!("ours ({})", rule.name), move || self.verdict(rule, &self.window))
    }

    /// What comes with every scrape before rules are asked.
    fn push(&self) -> Subject<'_> {
        let (mut window, mut newest) = (self.window.clone(), self.snapshots.iter().cycle());
        Subject::new("the snapshot alone", move || {
            newest.next().map(|new| window.push(new.timestamp, true, |signal| new.value(signal)))
        })
    }

    /// Each rule is evaluated to count for how long it has held, and again where an analysis is
    /// due.
    fn push_and_rules(&self) -> Subject<'_> {
        let (mut window, mut newest) = (self.window.clone(), self.snapshots.iter().cycle());
        Subject::new("ours (snapshot and all rules twice)", move || {
            if let Some(new) = newest.next() {
                window.push(new.timestamp, true, |signal| new.value(signal));
            }
            for _ in 0..2 {
                for rule in self.rules.iter() {
                    std::hint::black_box(self.verdict(rule, &window));
                }
            }
        })
    }

    fn verdict(&self, rule: &Rule, window: &Window) -> Verdict {
        let Self { parameters, config, .. } = self;
        let history = History::newest_of(window, samples::SAMPLES);
        rule.verdict(&Situation { history, parameters, config, sizes: None })
    }
}

fn unwritten(rule: &Rule) -> anyhow::Error {
    anyhow::anyhow!("`{}` is not written by hand", rule.name)
}
