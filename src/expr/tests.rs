//! Properties of the language as a whole: text and tree agree, and the evaluator equals a reference
//! that works differently.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::expr::ast::Binary;
use crate::expr::ast::Expr;
use crate::expr::ast::MatcherExpr;
use crate::expr::ast::Node;
use crate::expr::ast::Unary;
use crate::expr::selector::MatchOperator;

/// Signals `s0`…, thresholds `t0`…, and settings `b0`… that are true or false.
struct Known;

impl Names for Known {
    fn resolve(&self, name: &str) -> Option<(NameRef, Type)> {
        let index = name[1..].parse().ok().filter(|index| *index < 6)?;
        let (kind, its_type) = match &name[..1] {
            "b" => (NameKind::Setting, Type::Boolean),
            "s" => (NameKind::Signal, Type::Number),
            "t" => (NameKind::Threshold, Type::Number),
            _ => return None,
        };
        Some((NameRef { kind, index }, its_type))
    }

    fn candidates(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Six numbers and six truth values, each perhaps absent; every name and window reads one of them.
#[derive(Clone, Debug)]
struct Values {
    numbers: Vec<Option<f64>>,
    flags: Vec<Option<bool>>,
}

impl Inputs for Values {
    fn name(&self, name: NameRef) -> Option<Value> {
        match name.kind {
            NameKind::Setting => self.flags[name.index].map(Value::Boolean),
            _ => self.numbers[name.index].map(Value::Number),
        }
    }

    fn window(
        &self,
        function: WindowFunction,
        signal: NameRef,
        count: Option<usize>,
    ) -> Option<f64> {
        let shift = WindowFunction::ALL.iter().position(|known| *known == function)?;
        self.numbers[(signal.index + shift + count.unwrap_or(0)) % 6]
    }

    fn samples(&self) -> usize {
        7
    }
}

/// The reference: truth is 0, ½ (absent) or 1, so that `and` is the smaller and `or` the larger; an
/// absent number is NaN.
fn reference(expr: &Expr, values: &Values) -> f64 {
    let of = |inner: &Expr| reference(inner, values);
    let value = match &expr.node {
        Node::Number(number) => *number,
        Node::Name(name) => match Known.resolve(name).and_then(|(name, _)| values.name(name)) {
            Some(Value::Number(number)) => number,
            Some(Value::Boolean(flag)) => f64::from(u8::from(flag)),
            None if name.starts_with('b') => 0.5,
            None => f64::NAN,
        },
        Node::Call { function, .. } if function == "samples" => 7.0,
        Node::Call { function, arguments, .. } => {
            let count = arguments.get(1).map(|count| count.to_string().parse().unwrap());
            let signal = Known.resolve(&arguments[0].to_string()).unwrap().0;
            values
                .window(WindowFunction::named(function).unwrap(), signal, count)
                .unwrap_or(f64::NAN)
        }
        Node::Unary { operator: Unary::Negate, operand } => -of(operand),
        Node::Unary { operator: Unary::Not, operand } => 1.0 - of(operand),
        Node::Binary { operator, left, right, .. } => {
            let (a, b) = (of(left), of(right));
            let known =
                |truth| if a.is_nan() || b.is_nan() { 0.5 } else { f64::from(u8::from(truth)) };
            #[expect(clippy::float_cmp, reason = "equality is what `==` asks for")]
            match operator {
                Binary::Add => a + b,
                Binary::And => a.min(b),
                Binary::Divide => a / b,
                Binary::Equal => known(a == b),
                Binary::Greater => known(a > b),
                Binary::GreaterEqual => known(a >= b),
                Binary::Less => known(a < b),
                Binary::LessEqual => known(a <= b),
                Binary::Multiply => a * b,
                Binary::NotEqual => known(a != b),
                Binary::Or => a.max(b),
                Binary::Subtract => a - b,
            }
        }
        other => panic!("{other:?} is not of a rule"),
    };
    if value.is_finite() { value } else { f64::NAN }
}

fn expr(node: Node) -> Expr {
    Expr { node, span: 0..0 }
}

fn binary(operator: Binary, left: Expr, right: Expr) -> Expr {
    let (left, right) = (Box::new(left), Box::new(right));
    expr(Node::Binary { operator, operator_span: 0..0, left, right })
}

fn unary(operator: Unary, operand: Expr) -> Expr {
    expr(Node::Unary { operator, operand: Box::new(operand) })
}

fn literal() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0..10_u8).prop_map(f64::from),
        0.0..1e18_f64,
        0.0..1e-3_f64,
        Just(f64::MAX),
        Just(5e-324)
    ]
}

fn window_call() -> impl Strategy<Value = Expr> {
    (0..WindowFunction::ALL.len(), 0..6_usize, 1..=1000_u16).prop_map(
        |(function, signal, count)| {
            let function = WindowFunction::ALL[function];
            let mut arguments = vec![expr(Node::Name(format!("s{signal}")))];
            if function.takes_count() {
                arguments.push(expr(Node::Number(f64::from(count))));
            }
            let (function, function_span) = (function.name().to_owned(), 0..0);
            expr(Node::Call { function, function_span, arguments })
        },
    )
}

fn number() -> impl Strategy<Value = Expr> {
    let name =
        ("[st]", 0..6_u8).prop_map(|(kind, index)| expr(Node::Name(format!("{kind}{index}"))));
    let samples = Node::Call { function: "samples".into(), function_span: 0..0, arguments: vec![] };
    let leaf = prop_oneof![
        literal().prop_map(|number| expr(Node::Number(number))),
        name,
        window_call(),
        Just(expr(samples)),
    ];
    let operators = [Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Divide];
    leaf.prop_recursive(4, 24, 2, move |inner| {
        prop_oneof![
            4 => (prop::sample::select(operators.to_vec()), inner.clone(), inner.clone())
                .prop_map(|(operator, left, right)| binary(operator, left, right)),
            1 => inner.prop_map(|operand| unary(Unary::Negate, operand)),
        ]
    })
}

fn boolean() -> impl Strategy<Value = Expr> {
    let comparisons = vec![
        Binary::Equal,
        Binary::Greater,
        Binary::GreaterEqual,
        Binary::Less,
        Binary::LessEqual,
        Binary::NotEqual,
    ];
    let leaf = prop_oneof![
        3 => (prop::sample::select(comparisons), number(), number())
            .prop_map(|(operator, left, right)| binary(operator, left, right)),
        1 => (0..6_u8).prop_map(|index| expr(Node::Name(format!("b{index}")))),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            4 => (prop::bool::ANY, inner.clone(), inner.clone()).prop_map(|(and, left, right)| {
                binary(if and { Binary::And } else { Binary::Or }, left, right)
            }),
            1 => inner.prop_map(|operand| unary(Unary::Not, operand)),
        ]
    })
}

fn selector() -> impl Strategy<Value = Expr> {
    let operators = vec![
        MatchOperator::Equal,
        MatchOperator::Matches,
        MatchOperator::NotEqual,
        MatchOperator::NotMatches,
    ];
    let matcher = (
        "[a-z]{1,3}|or|default|[ -~é]{1,4}",
        prop::sample::select(operators),
        "\\PC{0,4}|[\"\\\\\n\t]{1,3}",
    )
        .prop_map(|(label, operator, value)| MatcherExpr {
            label,
            operator,
            value,
            value_span: 0..0,
        });
    let name = "[a-z_:][a-z0-9_:]{0,3}|or|default|[ -~é]{1,4}";
    (name, prop::collection::vec(matcher, 0..3))
        .prop_map(|(name, matchers)| expr(Node::Selector { name, matchers }))
}

fn role() -> impl Strategy<Value = Expr> {
    let leaf =
        prop_oneof![3 => selector(), 1 => literal().prop_map(|number| expr(Node::Number(number)))];
    let operators =
        vec![Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Divide, Binary::Or];
    leaf.prop_recursive(4, 24, 2, move |inner| {
        prop_oneof![
            4 => (prop::sample::select(operators.clone()), inner.clone(), inner.clone())
                .prop_map(|(operator, left, right)| binary(operator, left, right)),
            1 => inner.clone().prop_map(|operand| unary(Unary::Negate, operand)),
            1 => (inner, literal()).prop_map(|(operand, value)| {
                expr(Node::Default { operand: Box::new(operand), value: -value })
            }),
        ]
    })
}

fn values() -> impl Strategy<Value = Values> {
    let number = prop::option::of(prop_oneof![(-3..4_i8).prop_map(f64::from), -1e9..1e9_f64]);
    let numbers = prop::collection::vec(number, 6);
    let flags = prop::collection::vec(prop::option::of(prop::bool::ANY), 6);
    (numbers, flags).prop_map(|(numbers, flags)| Values { numbers, flags })
}

/// What expressions are made of, and some that they are not.
const PIECE: &str = "[a-c]|[0-9.]|[-+*/<>=!~(){},\"' ]|and |or |not |default |é";

proptest! {
    #[test]
    fn a_rule_prints_as_text_that_reads_back(tree in boolean()) {
        let text = tree.to_string();
        let again = parse(&text, Dialect::Rule);
        prop_assert!(again.faults.is_empty(), "{text}: {:?}", again.faults);
        prop_assert_eq!(&again.root, &tree, "{}", text);
        prop_assert_eq!(condition(&text, &Known).unwrap().to_string(), text);
    }

    #[test]
    fn a_role_prints_as_text_that_reads_back(tree in role()) {
        let text = tree.to_string();
        let again = parse(&text, Dialect::Profile);
        prop_assert!(again.faults.is_empty(), "{text}: {:?}", again.faults);
        prop_assert_eq!(again.root, tree, "{}", text);
    }

    #[test]
    fn evaluation_equals_the_reference(tree in boolean(), values in values()) {
        let found = condition(&tree.to_string(), &Known).unwrap().evaluate(&values);
        let wanted = match reference(&tree, &values) {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        };
        prop_assert_eq!(found, wanted, "{}", tree);
    }

    #[test]
    fn no_text_upsets_the_parser(text in prop::collection::vec(PIECE, 0..40)) {
        let text = text.concat();
        for dialect in [Dialect::Profile, Dialect::Rule] {
            let ast = parse(&text, dialect);
            let checked = match dialect {
                Dialect::Profile => check_selection(&ast).err(),
                Dialect::Rule => check_rule(&ast, &Nothing).err(),
            };
            for fault in checked.iter().flatten() {
                prop_assert!(text.get(fault.span.clone()).is_some(), "{fault} at {:?}", fault.span);
            }
            // What is refused has at least one fault to show for it.
            prop_assert!(checked.is_none_or(|faults| !faults.is_empty()));
        }
    }
}

struct Nothing;

impl Names for Nothing {
    fn resolve(&self, _: &str) -> Option<(NameRef, Type)> {
        None
    }

    fn candidates(&self) -> Vec<&str> {
        Vec::new()
    }
}

#[track_caller]
fn check_limit(text: &str, code: &str) {
    for dialect in [Dialect::Profile, Dialect::Rule] {
        let codes: Vec<_> = parse(text, dialect).faults.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, [code]);
    }
}

#[test]
fn limits_are_one_fault_each() {
    check_limit(&"(".repeat(2000), "too-deep");
    check_limit(&"-".repeat(LENGTH_MAX), "too-deep");
    check_limit(&"a+".repeat(LENGTH_MAX / 2), "too-long");
    check_limit(&"a".repeat(LENGTH_MAX + 1), "too-long");
}

#[test]
fn the_nesting_allowed_is_accepted() {
    let inner = DEPTH_MAX - 1;
    let text = format!("{}a{}", "(".repeat(inner), ")".repeat(inner));
    assert!(selection(&text).is_ok());
}

/// Absent everywhere, and counts what it is asked.
struct Absent(Cell<usize>);

impl Inputs for Absent {
    fn name(&self, _: NameRef) -> Option<Value> {
        self.0.set(self.0.get() + 1);
        None
    }

    fn window(&self, _: WindowFunction, _: NameRef, _: Option<usize>) -> Option<f64> {
        None
    }

    fn samples(&self) -> usize {
        0
    }
}

#[track_caller]
fn check_absent(text: &str, want: Option<bool>) {
    let found = condition(text, &Known).unwrap().evaluate(&Absent(Cell::new(0)));
    assert_eq!(found, want, "{text}");
}

#[test]
fn absence_is_neither_true_nor_false() {
    check_absent("s1 > 0", None);
    check_absent("not s1 > 0", None);
    check_absent("s1 == s1", None);
    check_absent("b1", None);
    check_absent("b1 and samples() == 0", None);
    check_absent("b1 or samples() > 0", None);
}

#[test]
fn known_operands_decide_without_the_absent_one() {
    check_absent("b1 and samples() > 0", Some(false));
    check_absent("samples() > 0 and b1", Some(false));
    check_absent("b1 or samples() == 0", Some(true));
    check_absent("samples() == 0 or b1", Some(true));
}

#[test]
fn results_that_are_not_finite_are_absent() {
    check_absent("1 / samples() > 0", None);
    check_absent("samples() / samples() > 0", None);
    check_absent("1e308 * 10 > 0", None);
    check_absent("1 / (1e308 * 10) == 0", None);
}

#[test]
fn references_are_listed_once_in_the_order_of_the_text() {
    let condition = condition("t2 > mean(s1) and s1 + t2 > newest(s4, 3) and b0", &Known).unwrap();
    let found: Vec<_> = condition.references().iter().map(|name| (name.kind, name.index)).collect();
    assert_eq!(
        found,
        [
            (NameKind::Threshold, 2),
            (NameKind::Signal, 1),
            (NameKind::Signal, 4),
            (NameKind::Setting, 0)
        ]
    );
}

#[track_caller]
fn check_flat(text: &str, found: &[&[u8]], defaults: bool, want: &str) {
    let flat = selection(text).unwrap().flatten(&|index| found[index].to_vec(), defaults);
    let shown = flat.map_or("absent".to_owned(), |flat| {
        let term = |t: &linear::FlatTerm<u8>| {
            let from = t.counts_from.map(|from| format!("({from})")).unwrap_or_default();
            format!("{}*#{}{from} ", t.coefficient, t.series)
        };
        format!("{}+ {}", flat.terms.iter().map(term).collect::<Vec<_>>().concat(), flat.constant)
    });
    assert_eq!(shown, want, "{text}");
}

#[test]
fn roles_flatten_to_terms() {
    check_flat("a", &[&[1, 2]], true, "1*#1 1*#2 + 0");
    check_flat("a - b * 2", &[&[1], &[2]], true, "1*#1 -2*#2 + 0");
    check_flat("-(a - b / 4) * 8", &[&[1], &[2]], true, "-8*#1 2*#2 + 0");
    check_flat("2 * a", &[&[1]], true, "2*#1 + 0");
    check_flat("a + b", &[&[1], &[]], true, "absent");
    check_flat("a or b", &[&[], &[2]], true, "1*#2 + 0");
    check_flat("a or b", &[&[1], &[2]], true, "1*#1 + 0");
    check_flat("(a or b) + c", &[&[], &[2], &[3]], true, "1*#2 1*#3 + 0");
}

#[test]
fn defaults_stand_for_missing_series_where_they_hold() {
    check_flat("a default 0", &[&[]], true, "+ 0");
    check_flat("a default 0", &[&[]], false, "absent");
    check_flat("a default 0", &[&[1]], true, "1*#1(0) + 0");
    check_flat("a default 0", &[&[1]], false, "1*#1 + 0");
    check_flat("a * 1024 default 2048 + b", &[&[1], &[2]], true, "1024*#1(2) 1*#2 + 0");
    check_flat("a * 1024 default 2048 + b", &[&[], &[2]], true, "1*#2 + 2048");
    check_flat("a or b default 0", &[&[1], &[]], true, "1*#1 + 0");
    check_flat("a or b default 0", &[&[], &[]], true, "+ 0");
}

#[track_caller]
fn check_selector(text: &str, labels: &[(&str, &str)], want: bool) {
    let selection = selection(text).unwrap();
    let label =
        |name: &str| labels.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    assert_eq!(selection.selectors()[0].matches_labels(label), want, "{text} over {labels:?}");
}

#[test]
fn matchers_mean_what_they_mean_in_prometheus() {
    check_selector("m", &[("x", "1")], true);
    check_selector("m{x=\"1\"}", &[("x", "1")], true);
    check_selector("m{x!=\"1\"}", &[], true);
    check_selector("m{x=\"\"}", &[], true);
    check_selector("m{x=~\"a|b\"}", &[("x", "ab")], false);
    check_selector("m{x=~\"a|b\"}", &[("x", "b")], true);
    check_selector("m{x=~\"a.b\"}", &[("x", "a\nb")], true);
    check_selector("m{x!~\"a.*\", y=\"2\"}", &[("x", "b"), ("y", "2")], true);
    check_selector("m{x!~\"a.*\", y=\"2\"}", &[("x", "b"), ("y", "3")], false);
}
