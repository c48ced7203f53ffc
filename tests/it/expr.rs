//! The expression language over fixture files: one expression a line, trees of the good ones,
//! faults of the bad ones.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use cache_tuner_exporter::expr;
use cache_tuner_exporter::expr::Dialect;
use cache_tuner_exporter::expr::Fault;
use cache_tuner_exporter::expr::NameKind;
use cache_tuner_exporter::expr::NameRef;
use cache_tuner_exporter::expr::Names;
use cache_tuner_exporter::expr::Type;
use cache_tuner_exporter::expr::ast::Expr;
use cache_tuner_exporter::expr::ast::Node;

const NAMES: [(&str, NameKind, Type); 12] = [
    ("hit_rate", NameKind::Signal, Type::Number),
    ("l1_hit_rate", NameKind::Signal, Type::Number),
    ("l2_hit_rate", NameKind::Signal, Type::Number),
    ("memory_usage_percent", NameKind::Signal, Type::Number),
    ("avg_get_latency_us", NameKind::Signal, Type::Number),
    ("eviction_rate", NameKind::Signal, Type::Number),
    ("decline", NameKind::Threshold, Type::Number),
    ("target_hit_rate", NameKind::Setting, Type::Number),
    ("enable_adaptive_tuning", NameKind::Setting, Type::Boolean),
    ("l1_size_multiplier", NameKind::Parameter, Type::Number),
    ("l2_size_multiplier", NameKind::Parameter, Type::Number),
    ("ttl_multiplier", NameKind::Parameter, Type::Number),
];

struct Known;

impl Names for Known {
    fn resolve(&self, name: &str) -> Option<(NameRef, Type)> {
        let index = NAMES.iter().position(|known| known.0 == name)?;
        Some((NameRef { kind: NAMES[index].1, index }, NAMES[index].2))
    }

    fn candidates(&self) -> Vec<&str> {
        NAMES.iter().map(|known| known.0).collect()
    }
}

#[test]
fn good_expressions_read_as_these_trees() {
    insta::glob!("..", "expr/good/*.txt", |path| {
        let text = each_line(path, |line| match read(path, line) {
            Ok((canonical, tree)) => format!("{canonical}\n{tree}\n"),
            Err(faults) => panic!("{line}: {faults:?}"),
        });
        insta::assert_snapshot!(text);
    });
}

#[test]
fn bad_expressions_tell_all_their_faults() {
    insta::glob!("..", "expr/bad/*.txt", |path| {
        let text = each_line(path, |line| match read(path, line) {
            Ok((canonical, _)) => panic!("accepted: {canonical}"),
            Err(faults) => faults.iter().map(|fault| render(line, fault)).collect(),
        });
        insta::assert_snapshot!(text);
    });
}

fn each_line(path: &Path, show: impl Fn(&str) -> String) -> String {
    let fixture = fs::read_to_string(path).unwrap();
    fixture.lines().fold(String::new(), |text, line| text + "> " + line + "\n" + &show(line) + "\n")
}

/// The canonical text and the tree, or the faults. The file's name begins with the dialect.
fn read(path: &Path, line: &str) -> Result<(String, String), Vec<Fault>> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let (dialect, canonical) = if name.starts_with("rule") {
        (Dialect::Rule, expr::condition(line, &Known)?.to_string())
    } else {
        (Dialect::Profile, expr::selection(line)?.to_string())
    };
    Ok((canonical, tree(&expr::parse(line, dialect).root)))
}

fn tree(expr: &Expr) -> String {
    let mut text = match &expr.node {
        Node::Binary { operator, left, right, .. } => {
            format!("({} {} {})", operator.symbol(), tree(left), tree(right))
        }
        Node::Broken(parts) => {
            format!("(broken {})", parts.iter().map(tree).collect::<Vec<_>>().join(" "))
        }
        Node::Call { function, arguments, .. } => {
            arguments.iter().fold(format!("({function}()"), |text, it| text + " " + &tree(it)) + ")"
        }
        Node::Default { operand, value } => format!("(default {} {value})", tree(operand)),
        Node::Name(name) => name.clone(),
        Node::Number(number) => format!("{number:?}"),
        Node::Selector { name, matchers } => {
            let show = |m: &expr::ast::MatcherExpr| {
                format!(" {:?}{}{:?}", m.label, m.operator.symbol(), m.value)
            };
            format!("{{{name:?}{}}}", matchers.iter().map(show).collect::<Vec<_>>().concat())
        }
        Node::Unary { operator, operand } => format!("({operator:?} {})", tree(operand)),
    };
    write!(text, "@{}..{}", expr.span.start, expr.span.end).unwrap();
    text
}

fn render(line: &str, fault: &Fault) -> String {
    let column = line[..fault.span.start].chars().count();
    let carets = line[fault.span.clone()].chars().count().max(1);
    let help = fault.help.as_ref().map(|help| format!("  = help: {help}\n")).unwrap_or_default();
    format!(
        "  {}{} {}\n  {} [{}]\n{help}",
        " ".repeat(column),
        "^".repeat(carets),
        fault.label,
        fault.message,
        fault.code
    )
}
