//! Conditions.

use super::operand::Wanted;
use super::reader::{Table, describe};
use super::{Context, DEEPEST};
use crate::policy::model::{
    Check, CidrCheck, Comparison, Condition, Direction, Literal, Operand, Path, Ports, Quantified, Quantifier, Related,
    SecretKind, Test, ValueType,
};
use crate::policy::values::{cidr, ports, version};
use crate::policy::words::nearest;
use crate::syntax::yaml::{Node, Scalar, Schema};

/// The tests that stand beside a `path`.
const TESTS: [&str; 33] = [
    "exists",
    "missing",
    "is_empty",
    "is_true",
    "is_false",
    "equals",
    "not_equals",
    "in",
    "not_in",
    "matches",
    "not_matches",
    "starts_with",
    "ends_with",
    "contains",
    "not_contains",
    "contains_any",
    "contains_all",
    "subset_of",
    "superset_of",
    "intersects",
    "selects_labels",
    "less_than",
    "at_most",
    "greater_than",
    "at_least",
    "length",
    "version",
    "cidr",
    "ports",
    "type",
    "is_secret",
    "is_written",
    "resolves_to",
];

/// What may stand beside a `path` and its tests.
const BESIDE_TESTS: [&str; 4] = ["path", "default", "quantifier", "ignore_case"];

/// What makes conditions of conditions, and what belongs to it.
const COMPOSITION: [&str; 12] =
    ["all", "any", "not", "kind", "for_each", "as", "some", "every", "none", "use", "related", "resources"];

impl Context<'_, '_> {
    /// A condition. `None` where it is wrong, after an error.
    pub fn condition(&mut self, node: Node<'_>) -> Option<Condition> {
        if self.depth >= DEEPEST {
            self.error(node.span(), format!("conditions nest deeper than {DEEPEST} levels"));
            return None;
        }
        self.depth += 1;
        let condition = self.condition_inside(node);
        self.depth -= 1;
        condition
    }

    fn condition_inside(&mut self, node: Node<'_>) -> Option<Condition> {
        if node.is_sequence() {
            return self.conditions(node, "a list of conditions").map(Condition::All);
        }
        if let Some(Scalar::Bool(b)) = node.scalar(Schema::Yaml12) {
            return Some(Condition::Constant(b));
        }
        if !node.is_mapping() {
            self.error(
                node.span(),
                format!("a condition must be a mapping, a list, true or false, not {}", describe(node)),
            );
            return None;
        }
        let mut table = self.table(node, "a condition")?;
        if table.has("for_each") && table.has("path") {
            let help = "put the test and the `for_each` into an `all`";
            let start = node.span().start_point();
            self.error_with_help(start, "`path` and `for_each` stand in one mapping", help);
            return None;
        }
        let mut parts = Vec::new();
        let errors = self.errors.len();
        if let Some(value) = table.take("kind") {
            parts.push(Condition::Kind(self.texts(value, "`kind`")));
        }
        if let Some(value) = table.take("all") {
            parts.extend(self.conditions(value, "`all`").map(Condition::All));
        }
        if let Some(value) = table.take("any") {
            parts.extend(self.conditions(value, "`any`").map(Condition::Any));
        }
        if let Some(value) = table.take("not") {
            parts.extend(self.condition(value).map(|c| Condition::Not(Box::new(c))));
        }
        if let Some(value) = table.take("use") {
            parts.extend(self.shared_condition(value));
        }
        if table.has("for_each") {
            parts.extend(self.for_each(&mut table));
        }
        if let Some(value) = table.take("related") {
            parts.extend(self.related(value));
        }
        if let Some(value) = table.take("resources") {
            parts.extend(self.resources(value));
        }
        if table.has("path") {
            parts.extend(self.test(&mut table).map(Condition::Test));
        } else if let Some(value) = table.take("ports") {
            parts.extend(self.port_range(value));
        }
        for (name, key, _) in table.rest() {
            if TESTS.contains(&name) || BESIDE_TESTS.contains(&name) {
                self.error_with_help(
                    key.span(),
                    format!("`{name}` tests nothing: there is no `path` beside it"),
                    "add `path: $.…`",
                );
            } else if COMPOSITION.contains(&name) {
                let help = "it stands beside `for_each`, or inside `related` or `resources`";
                self.error_with_help(key.span(), format!("`{name}` belongs to nothing here"), help);
            } else {
                let all = TESTS.iter().chain(&BESIDE_TESTS).chain(&COMPOSITION).copied();
                let help = match nearest(name, all) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "docs/policy-language.md lists all tests".to_owned(),
                };
                self.error_with_help(key.span(), format!("there is no condition `{name}`"), help);
            }
        }
        if self.errors.len() > errors {
            return None;
        }
        match parts.len() {
            0 => {
                self.error(node.span(), "this condition asks nothing");
                None
            }
            1 => parts.pop(),
            _ => Some(Condition::All(parts)),
        }
    }

    fn conditions(&mut self, node: Node<'_>, what: &str) -> Option<Vec<Condition>> {
        if !node.is_sequence() {
            // A single condition is a list of one.
            return self.condition(node).map(|c| vec![c]);
        }
        if node.items().len() == 0 {
            self.error(node.span(), format!("{what} has no parts"));
            return None;
        }
        let count = node.items().len();
        let parts: Vec<Condition> = node.items().filter_map(|item| self.condition(item)).collect();
        (parts.len() == count).then_some(parts)
    }

    fn shared_condition(&mut self, node: Node<'_>) -> Option<Condition> {
        let name = self.words(node, "`use`")?;
        let Some(tree) = self.shared.conditions.get(name.as_str()).copied() else {
            let help = match nearest(&name, self.shared.conditions.keys().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it would be the file conditions/{name}.yaml"),
            };
            self.error_with_help(node.span(), format!("there is no condition `{name}`"), help);
            return None;
        };
        if self.using.contains(&name) {
            self.error(node.span(), format!("the condition `{name}` uses itself"));
            return None;
        }
        self.using.push(name);
        // The file's own syntax errors are reported once, where all conditions are compiled.
        let condition = tree.root().filter(|_| tree.errors.is_empty()).and_then(|root| self.condition(root));
        self.using.pop();
        condition
    }

    /// `some`, `every` or `none`, with `at_least` and `at_most`. `scope` says what `@` is inside.
    fn quantified(&mut self, table: &mut Table<'_>, what: &str, bare: bool) -> Option<Quantified> {
        let mut found: Option<(Quantifier, Node<'_>, Node<'_>)> = None;
        for (word, quantifier) in [("some", Quantifier::Some), ("every", Quantifier::Every), ("none", Quantifier::None)]
        {
            let Some((key, value)) = table.take_with_key(word) else { continue };
            if found.is_some() {
                self.error_with_help(
                    key.span(),
                    format!("{what} takes one of `some`, `every` and `none`"),
                    "join two of them with `all`",
                );
                return None;
            }
            found = Some((quantifier, key, value));
        }
        let (mut at_least, mut at_most) = (None, None);
        for (word, slot) in [("at_least", &mut at_least), ("at_most", &mut at_most)] {
            let Some((key, value)) = table.take_with_key(word) else { continue };
            *slot = self.count(value, &format!("`{word}`"));
            if found.is_some_and(|(q, ..)| q != Quantifier::Some) {
                self.error(
                    key.span(),
                    format!("`{word}` counts what `some` finds; it cannot stand beside `every` or `none`"),
                );
            }
        }
        let (quantifier, condition) = match found {
            Some((quantifier, _, value)) => (quantifier, self.condition(value)?),
            None if bare || at_least.is_some() || at_most.is_some() => (Quantifier::Some, Condition::Constant(true)),
            None => {
                let help = "for example `some: {path: \"@.enabled\", equals: true}`";
                self.error_with_help(
                    table.node.span().start_point(),
                    format!("{what} needs `some`, `every` or `none`"),
                    help,
                );
                return None;
            }
        };
        Some(Quantified { quantifier, at_least, at_most, condition })
    }

    fn scope_name(&mut self, table: &mut Table<'_>) -> Option<String> {
        let node = table.take("as")?;
        self.name(node)
    }

    /// The name that `as` gives.
    pub fn name(&mut self, node: Node<'_>) -> Option<String> {
        let name = self.words(node, "`as`")?;
        if name == "root" || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            self.error(node.span(), "a name is made of letters, digits and `_`, and `root` is taken");
            return None;
        }
        Some(name)
    }

    fn for_each(&mut self, table: &mut Table<'_>) -> Option<Condition> {
        let node = table.take("for_each")?;
        let path = self.path(node, "`for_each`").map(Path::into_elements);
        let name = self.scope_name(table);
        let nodes = std::mem::replace(&mut self.nodes, true);
        self.names.extend(name.clone());
        let quantified = self.quantified(table, "`for_each`", false);
        if name.is_some() {
            self.names.pop();
        }
        self.nodes = nodes;
        Some(Condition::ForEach { path: path?, name, quantified: Box::new(quantified?) })
    }

    fn related(&mut self, node: Node<'_>) -> Option<Condition> {
        let mut table = self.table(node, "`related`")?;
        let Some(kind) = table.take("kind") else {
            self.error(node.span().start_point(), "`related` needs `kind`: the kinds or views on the other side");
            return None;
        };
        let kind = self.texts(kind, "`kind`");
        let through = table.take("through").map(|n| self.texts(n, "`through`")).unwrap_or_default();
        let words = [("in", Direction::In), ("out", Direction::Out), ("either", Direction::Either)];
        let direction = match table.take("direction") {
            Some(node) => self.choice(node, "direction", &words)?,
            None => Direction::Either,
        };
        let (name, quantified) = self.other(&mut table, "`related`");
        let known = ["kind", "through", "direction", "as", "some", "every", "none", "at_least", "at_most"];
        self.finish(&table, "`related`", &known);
        Some(Condition::Related(Related { kind, through, direction, name, quantified: Box::new(quantified?) }))
    }

    fn resources(&mut self, node: Node<'_>) -> Option<Condition> {
        let mut table = self.table(node, "`resources`")?;
        let Some(kind) = table.take("kind") else {
            self.error(node.span().start_point(), "`resources` needs `kind`: the kinds or views that are asked");
            return None;
        };
        let kind = self.texts(kind, "`kind`");
        let whole_graph = match table.take("scope") {
            Some(node) => self.choice(node, "scope", &[("unit", false), ("graph", true)])?,
            None => false,
        };
        let (name, quantified) = self.other(&mut table, "`resources`");
        let known = ["kind", "scope", "as", "some", "every", "none", "at_least", "at_most"];
        self.finish(&table, "`resources`", &known);
        Some(Condition::Resources { kind, whole_graph, name, quantified: Box::new(quantified?) })
    }

    /// The name and the condition of other resources.
    fn other(&mut self, table: &mut Table<'_>, what: &str) -> (Option<String>, Option<Quantified>) {
        let name = self.scope_name(table);
        self.names.extend(name.clone());
        let quantified = self.quantified(table, what, true);
        if name.is_some() {
            self.names.pop();
        }
        (name, quantified)
    }

    fn port_range(&mut self, node: Node<'_>) -> Option<Condition> {
        let mut table = self.table(node, "`ports`")?;
        let ends = (table.take("from"), table.take("to"));
        let (Some(from), Some(to)) = ends else {
            let help = "put `path` beside it, or `from` and `to` into it";
            self.error_with_help(node.span().start_point(), "`ports` does not say where the ports are", help);
            return None;
        };
        let (from, to) = (self.path(from, "`from`")?, self.path(to, "`to`")?);
        let ports = self.ports(&mut table)?;
        self.finish(&table, "`ports`", &["from", "to", "includes", "any", "more_than"]);
        Some(Condition::PortRange { from, to, ports })
    }

    fn ports(&mut self, table: &mut Table<'_>) -> Option<Ports> {
        let any = table.take("any").and_then(|n| self.boolean(n, "`any`"));
        let includes = match table.take("includes") {
            Some(node) => {
                let operand = self.operand(node, Wanted::Texts, "`includes`")?;
                self.each_text(&operand, |text| ports::parse(text).map(|_| ()).ok_or("no port and no range"), node);
                Some(operand)
            }
            None => None,
        };
        let more_than = match table.take("more_than") {
            Some(node) => Some(self.operand(node, Wanted::Number, "`more_than`")?),
            None => None,
        };
        if any.is_none() && includes.is_none() && more_than.is_none() {
            self.error(table.node.span().start_point(), "`ports` needs `includes`, `any` or `more_than`");
            return None;
        }
        Some(Ports { includes, any, more_than })
    }

    /// Checks every text of a literal operand.
    fn each_text<E: std::fmt::Display>(
        &mut self,
        operand: &Operand,
        check: impl Fn(&str) -> Result<(), E>,
        node: Node<'_>,
    ) {
        let Operand::Literal(index) = operand else { return };
        let literal = self.pool.literals.get(usize::from(*index)).cloned();
        let items = match literal {
            Some(Literal::List(items)) => items,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        for item in items {
            let text = match item {
                Literal::String(text) => text,
                Literal::Int(n) => n.to_string(),
                Literal::Float(f) => f.to_string(),
                _ => {
                    self.error(node.span(), "expected text");
                    continue;
                }
            };
            if let Err(error) = check(&text) {
                self.error(node.span(), format!("`{text}`: {error}"));
            }
        }
    }

    fn test(&mut self, table: &mut Table<'_>) -> Option<Test> {
        let node = table.take("path")?;
        let path = self.path(node, "`path`");
        let checks = self.checks(table, true);
        let default = match table.take("default") {
            Some(node) => Some(self.operand(node, Wanted::Any, "`default`")?),
            None => None,
        };
        let words = [("some", Quantifier::Some), ("every", Quantifier::Every), ("none", Quantifier::None)];
        let quantifier = match table.take("quantifier") {
            Some(node) => self.choice(node, "quantifier", &words)?,
            None => Quantifier::Some,
        };
        let ignore_case = match table.take("ignore_case") {
            Some(node) => self.boolean(node, "`ignore_case`")?,
            None => false,
        };
        if checks.as_ref().is_some_and(Vec::is_empty) {
            let unknown = table.rest().any(|(name, ..)| !COMPOSITION.contains(&name));
            if !unknown {
                self.error_with_help(
                    node.span(),
                    "no test stands beside this path",
                    "for example `equals: true` or `exists: true`",
                );
            }
            return None;
        }
        Some(Test { path: path?, checks: checks?, default, quantifier, ignore_case })
    }

    /// The tests of a mapping. Without a path of their own (`length:`) only those on numbers make sense.
    fn checks(&mut self, table: &mut Table<'_>, all: bool) -> Option<Vec<Check>> {
        let errors = self.errors.len();
        let mut checks = Vec::new();
        for test in TESTS {
            if !all
                && !["equals", "not_equals", "in", "not_in", "less_than", "at_most", "greater_than", "at_least"]
                    .contains(&test)
            {
                continue;
            }
            let Some(node) = table.take(test) else { continue };
            checks.extend(self.check(test, node));
        }
        (self.errors.len() == errors).then_some(checks)
    }

    fn check(&mut self, test: &str, node: Node<'_>) -> Option<Check> {
        let what = format!("`{test}`");
        let what = what.as_str();
        Some(match test {
            "exists" => Check::Exists(self.boolean(node, what)?),
            "missing" => Check::Exists(!self.boolean(node, what)?),
            "is_empty" => Check::Empty(self.boolean(node, what)?),
            "is_true" => Check::True(self.boolean(node, what)?),
            "is_false" => Check::False(self.boolean(node, what)?),
            "is_secret" => match node.scalar(Schema::Yaml12) {
                Some(Scalar::String("key")) => Check::Secret(SecretKind::Key, true),
                Some(Scalar::String("named")) => Check::Secret(SecretKind::Named, true),
                _ => Check::Secret(
                    SecretKind::Any,
                    self.boolean(node, "`is_secret` is `key`, `named`, or a boolean; it")?,
                ),
            },
            "is_written" => Check::Written(self.boolean(node, what)?),
            "equals" | "not_equals" => Check::Equals(self.operand(node, Wanted::Any, what)?, test == "equals"),
            "in" | "not_in" => Check::In(self.operand(node, Wanted::List, what)?, test == "in"),
            "matches" | "not_matches" if node.is_mapping() => {
                Check::MatchesOperand(self.operand(node, Wanted::Texts, what)?, test == "matches")
            }
            "matches" | "not_matches" => {
                let nodes: Vec<Node<'_>> = if node.is_sequence() { node.items().collect() } else { vec![node] };
                let mut patterns = Vec::new();
                for node in nodes {
                    let text = self.text(node, "a pattern")?;
                    patterns.push(self.pattern(text, node.span()));
                }
                Check::Matches(patterns, test == "matches")
            }
            "starts_with" => Check::StartsWith(self.operand(node, Wanted::Texts, what)?),
            "ends_with" => Check::EndsWith(self.operand(node, Wanted::Texts, what)?),
            "contains" | "not_contains" => Check::Contains(self.operand(node, Wanted::Any, what)?, test == "contains"),
            "contains_any" => Check::ContainsAny(self.operand(node, Wanted::List, what)?),
            "contains_all" => Check::ContainsAll(self.operand(node, Wanted::List, what)?),
            "subset_of" => Check::SubsetOf(self.operand(node, Wanted::List, what)?),
            "superset_of" => Check::SupersetOf(self.operand(node, Wanted::List, what)?),
            "intersects" => Check::Intersects(self.operand(node, Wanted::List, what)?),
            "selects_labels" => Check::SelectsLabels(self.operand(node, Wanted::Any, what)?),
            "less_than" => Check::Number(Comparison::Less, self.operand(node, Wanted::Number, what)?),
            "at_most" => Check::Number(Comparison::AtMost, self.operand(node, Wanted::Number, what)?),
            "greater_than" => Check::Number(Comparison::Greater, self.operand(node, Wanted::Number, what)?),
            "at_least" => Check::Number(Comparison::AtLeast, self.operand(node, Wanted::Number, what)?),
            "length" => {
                let mut table = self.table(node, what)?;
                let checks = self.checks(&mut table, false)?;
                self.finish(
                    &table,
                    what,
                    &["equals", "not_equals", "in", "not_in", "less_than", "at_most", "greater_than", "at_least"],
                );
                if checks.is_empty() {
                    self.error_with_help(
                        node.span(),
                        "`length` asks nothing",
                        "for example `{length: {at_least: 14}}`",
                    );
                    return None;
                }
                Check::Length(checks)
            }
            "version" => {
                let operand = self.operand(node, Wanted::Texts, what)?;
                self.each_text(&operand, |text| version::Range::parse(text).map(|_| ()), node);
                Check::Version(operand)
            }
            "cidr" => Check::Cidr(self.cidr(node)?),
            "ports" => {
                let mut table = self.table(node, what)?;
                let ports = self.ports(&mut table)?;
                self.finish(&table, what, &["includes", "any", "more_than"]);
                Check::Ports(ports)
            }
            "type" => {
                let nodes: Vec<Node<'_>> = if node.is_sequence() { node.items().collect() } else { vec![node] };
                let mut types = Vec::new();
                for node in nodes {
                    types.push(self.choice(node, "type", &ValueType::ALL)?);
                }
                Check::Type(types)
            }
            "resolves_to" => Check::ResolvesTo(self.texts(node, what)),
            _ => return None,
        })
    }

    fn cidr(&mut self, node: Node<'_>) -> Option<Vec<CidrCheck>> {
        let mut table = self.table(node, "`cidr`")?;
        let mut checks = Vec::new();
        if let Some(node) = table.take("any") {
            checks.push(CidrCheck::Any(self.boolean(node, "`any`")?));
        }
        if let Some(node) = table.take("public") {
            checks.push(CidrCheck::Public(self.boolean(node, "`public`")?));
        }
        type Make = fn(Operand) -> CidrCheck;
        let blocks: [(&str, Make); 3] =
            [("contains", CidrCheck::Contains), ("within", CidrCheck::Within), ("overlaps", CidrCheck::Overlaps)];
        for (word, make) in blocks {
            let Some(node) = table.take(word) else { continue };
            let operand = self.operand(node, Wanted::Texts, &format!("`{word}`"))?;
            self.each_text(
                &operand,
                |text| cidr::Block::parse(text).map(|_| ()).ok_or("no address and no block"),
                node,
            );
            checks.push(make(operand));
        }
        if let Some(node) = table.take("larger_than") {
            checks.push(CidrCheck::LargerThan(self.operand(node, Wanted::Number, "`larger_than`")?));
        }
        self.finish(&table, "`cidr`", &["any", "public", "contains", "within", "overlaps", "larger_than"]);
        if checks.is_empty() {
            self.error_with_help(node.span(), "`cidr` asks nothing", "for example `cidr: {any: true}`");
            return None;
        }
        Some(checks)
    }
}
