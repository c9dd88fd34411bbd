//! Conditions in words, as `explain` prints them: close to how the policy writes them.

use super::model::{
    Check, CidrCheck, Comparison, Condition, Direction, Literal, Operand, Pool, Ports, Quantified, Quantifier,
    SecretKind, Test,
};

/// Longer operands are cut.
const LONGEST: usize = 100;

/// A condition by itself, without the conditions inside it: those have lines of their own.
pub(super) fn condition(condition: &Condition, pool: &Pool) -> String {
    match condition {
        Condition::Constant(b) => b.to_string(),
        Condition::All(_) => "all of".to_owned(),
        Condition::Any(_) => "any of".to_owned(),
        Condition::Not(_) => "not".to_owned(),
        Condition::Test(t) => test(t, pool),
        Condition::Kind(kinds) => format!("the kind is {}", kinds.join(" or ")),
        Condition::ForEach { path, quantified, .. } => format!("{} node of {}", quantifier(quantified), path.text),
        Condition::Related(related) => {
            let through = match related.through.as_slice() {
                [] => String::new(),
                through => format!(" through {}", through.join(" or ")),
            };
            let direction = match related.direction {
                Direction::In => ", which refers to this",
                Direction::Out => ", which this refers to",
                Direction::Either => "",
            };
            format!("{} related {}{through}{direction}", quantifier(&related.quantified), related.kind.join(" or "))
        }
        Condition::Resources { kind, whole_graph, quantified, .. } => {
            let scope = if *whole_graph { "the whole graph" } else { "the unit" };
            format!("{} {} in {scope}", quantifier(quantified), kind.join(" or "))
        }
        Condition::PortRange { from, to, ports: asked } => {
            format!("the ports {} to {} {}", from.text, to.text, ports(asked, pool))
        }
    }
}

fn quantifier(quantified: &Quantified) -> String {
    match (quantified.quantifier, quantified.at_least, quantified.at_most) {
        (Quantifier::Some, Some(least), Some(most)) => format!("{least} to {most}"),
        (Quantifier::Some, Some(least), None) => format!("at least {least}"),
        (Quantifier::Some, None, Some(most)) => format!("at most {most}"),
        (Quantifier::Some, None, None) => "some".to_owned(),
        (Quantifier::Every, ..) => "every".to_owned(),
        (Quantifier::None, ..) => "no".to_owned(),
    }
}

fn test(test: &Test, pool: &Pool) -> String {
    let checks: Vec<String> = test.checks.iter().map(|c| check(c, pool)).collect();
    let whose = match test.quantifier {
        Quantifier::Some => test.path.text.clone(),
        Quantifier::Every => format!("every {}", test.path.text),
        Quantifier::None => format!("no {}", test.path.text),
    };
    let default = match &test.default {
        Some(default) => format!(" (default {})", operand(default, pool)),
        None => String::new(),
    };
    let case = if test.ignore_case { ", whatever the case" } else { "" };
    format!("{whose} {}{case}{default}", checks.join(" and "))
}

fn check(check: &Check, pool: &Pool) -> String {
    let is = |expected: bool, word: &str| if expected { format!("is {word}") } else { format!("is not {word}") };
    let o = |x: &Operand| operand(x, pool);
    match check {
        Check::Exists(expected) => if *expected { "exists" } else { "is absent" }.to_owned(),
        Check::Empty(expected) => is(*expected, "empty"),
        Check::True(expected) => is(*expected, "true"),
        Check::False(expected) => is(*expected, "false"),
        Check::Equals(x, expected) => is(*expected, &o(x)),
        Check::In(x, expected) => is(*expected, &format!("one of {}", o(x))),
        Check::Matches(patterns, expected) => {
            let patterns: Vec<String> = patterns
                .iter()
                .map(|p| format!("/{}/", pool.patterns.get(usize::from(*p)).map_or("", String::as_str)))
                .collect();
            format!("{} {}", if *expected { "matches" } else { "does not match" }, patterns.join(" or "))
        }
        Check::MatchesOperand(x, expected) => {
            format!("{} {}", if *expected { "matches" } else { "does not match" }, o(x))
        }
        Check::StartsWith(x) => format!("starts with {}", o(x)),
        Check::EndsWith(x) => format!("ends with {}", o(x)),
        Check::Contains(x, expected) => {
            format!("{} {}", if *expected { "contains" } else { "does not contain" }, o(x))
        }
        Check::ContainsAny(x) => format!("contains one of {}", o(x)),
        Check::ContainsAll(x) => format!("contains all of {}", o(x)),
        Check::SubsetOf(x) => format!("has nothing but {}", o(x)),
        Check::SupersetOf(x) => format!("has all of {}", o(x)),
        Check::Intersects(x) => format!("has one of {}", o(x)),
        Check::SelectsLabels(x) => format!("selects what has the labels {}", o(x)),
        Check::Number(comparison, x) => {
            let sign = match comparison {
                Comparison::Less => "<",
                Comparison::AtMost => "<=",
                Comparison::Greater => ">",
                Comparison::AtLeast => ">=",
            };
            format!("{sign} {}", o(x))
        }
        Check::Length(checks) => {
            let checks: Vec<String> = checks.iter().map(|c| self::check(c, pool)).collect();
            format!("has a length that {}", checks.join(" and "))
        }
        Check::Version(x) => format!("is a version {}", o(x)),
        Check::Cidr(checks) => {
            let checks: Vec<String> = checks.iter().map(|c| cidr(c, pool)).collect();
            checks.join(" and ")
        }
        Check::Ports(asked) => ports(asked, pool),
        Check::Type(types) => {
            let types: Vec<&str> = types.iter().map(|t| t.as_str()).collect();
            format!("is a {}", types.join(" or "))
        }
        Check::Secret(SecretKind::Key, expected) => is(*expected, "a key or token of a known form"),
        Check::Secret(SecretKind::Named, expected) => is(*expected, "a credential, as its name says"),
        Check::Secret(SecretKind::Any, expected) => is(*expected, "a credential"),
        Check::Written(expected) => is(*expected, "written where it stands"),
        Check::ResolvesTo(kinds) => format!("refers to {}", kinds.join(" or ")),
    }
}

fn cidr(check: &CidrCheck, pool: &Pool) -> String {
    match check {
        CidrCheck::Any(true) => "is the whole internet".to_owned(),
        CidrCheck::Any(false) => "is not the whole internet".to_owned(),
        CidrCheck::Public(true) => "reaches public addresses".to_owned(),
        CidrCheck::Public(false) => "is private".to_owned(),
        CidrCheck::Contains(x) => format!("covers {}", operand(x, pool)),
        CidrCheck::Within(x) => format!("lies within {}", operand(x, pool)),
        CidrCheck::Overlaps(x) => format!("overlaps {}", operand(x, pool)),
        CidrCheck::LargerThan(x) => format!("is larger than a /{}", operand(x, pool)),
    }
}

fn ports(ports: &Ports, pool: &Pool) -> String {
    let mut words = Vec::new();
    match ports.any {
        Some(true) => words.push("are every port".to_owned()),
        Some(false) => words.push("are not every port".to_owned()),
        None => {}
    }
    if let Some(includes) = &ports.includes {
        words.push(format!("include {}", operand(includes, pool)));
    }
    if let Some(more_than) = &ports.more_than {
        words.push(format!("are a range of more than {}", operand(more_than, pool)));
    }
    words.join(" and ")
}

fn operand(operand: &Operand, pool: &Pool) -> String {
    let text = match operand {
        Operand::Literal(index) => pool.literals.get(usize::from(*index)).map(literal).unwrap_or_default(),
        Operand::Param(name) => format!("the parameter {name}"),
        Operand::Path(path) => path.text.clone(),
        Operand::Data(table, None) => format!("the table {table}"),
        Operand::Data(table, Some(key)) => format!("the table {table}.{key}"),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(b) => b.to_string(),
        Literal::Int(n) => n.to_string(),
        Literal::Float(f) => f.to_string(),
        Literal::String(s) => format!("\"{s}\""),
        Literal::List(items) => {
            let items: Vec<String> = items.iter().map(self::literal).collect();
            format!("[{}]", items.join(", "))
        }
        Literal::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(k, v)| format!("{k}: {}", self::literal(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
