//! The fields of a policy.

use super::Context;
use super::operand::Wanted;
use super::reader::Table;
use crate::base::{LineIndex, Span};
use crate::diagnostic::{Category, Rule, Safety, Severity};
use crate::policy::model::{Example, Examples, FixAction, FixPlan, Literal, Param, Path, Policy, Root, ValueType};
use crate::policy::words::nearest;
use crate::syntax::yaml::Node;

/// Every field that a policy may have.
pub(super) const FIELDS: [&str; 22] = [
    "name",
    "title",
    "severity",
    "category",
    "resource",
    "where",
    "for_each",
    "deny",
    "at",
    "params",
    "enabled",
    "on_request",
    "implied_by",
    "tags",
    "message",
    "why",
    "remediation",
    "fix",
    "references",
    "aliases",
    "examples",
    "as",
];

/// The tools whose ids a policy can carry.
pub const PEERS: [&str; 8] =
    ["checkov", "trivy", "kics", "hadolint", "kube-linter", "kube-score", "polaris", "terrascan"];

/// The page that documents a policy, below the project's own pages.
const PAGES: &str = "https://stacklint.dev/policies/";

/// A policy and its examples. `stem` is the file's name without its ending.
pub(super) fn policy(cx: &mut Context<'_, '_>, root: Node<'_>, stem: &str, text: &str) -> Option<(Policy, Examples)> {
    let mut table = cx.table(root, "a policy")?;
    let name = cx.required(&mut table, "name");
    if let Some((node, name)) = &name {
        let sound = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if !sound {
            cx.error(node.span(), "a name is made of lower-case letters, digits and hyphens");
        } else if name != stem {
            cx.error_with_help(
                node.span(),
                format!("the name is not that of the file, `{stem}`"),
                format!("name the file {name}.yaml, or the policy {stem}"),
            );
        }
    }
    let title = cx.required(&mut table, "title");
    let severities = Severity::ALL.map(|s| (s.as_str(), s));
    let severity = table.take("severity").and_then(|n| cx.choice(n, "severity", &severities));
    let categories = Category::ALL.map(|c| (c.as_str(), c));
    let category = table.take("category").and_then(|n| cx.choice(n, "category", &categories));
    let resource = table.take("resource").map(|n| cx.texts(n, "`resource`")).unwrap_or_default();
    cx.params = Vec::new();
    let params = table.take("params").map(|n| cx.params(n)).unwrap_or_default();
    let enabled = table.take("enabled").and_then(|n| cx.boolean(n, "`enabled`")).unwrap_or(true);
    let on_request = table.take("on_request").map(|n| cx.texts(n, "`on_request`")).unwrap_or_default();
    let implied_by = table.take("implied_by").map(|n| cx.texts(n, "`implied_by`")).unwrap_or_default();
    let tags = table.take("tags").map(|n| cx.texts(n, "`tags`")).unwrap_or_default();

    let guard = table.take("where").map(|n| cx.condition(n));
    let for_each = table.take("for_each").map(|n| cx.path(n, "`for_each`").map(Path::into_elements));
    cx.nodes = for_each.is_some();
    let node_name = table.take("as").and_then(|node| {
        if for_each.is_none() {
            cx.error(node.span(), "`as` names the node of a `for_each`, and there is none");
        }
        cx.name(node)
    });
    cx.names.extend(node_name.clone());
    let deny = table.take("deny").map(|n| cx.condition(n));
    let at = table.take("at").map(|n| cx.path(n, "`at`"));
    let message = table.take("message").map(|n| cx.template(n, "`message`"));
    let why = cx.required(&mut table, "why");
    let remediation = cx.required(&mut table, "remediation");
    let fix = table.take("fix").map(|n| cx.fix(n));
    let references = table.take("references").map(|n| cx.references(n)).unwrap_or_default();
    let aliases = table.take("aliases").map(|n| cx.aliases(n)).unwrap_or_default();
    let examples = table.take("examples").map(|n| cx.examples(n, text));
    cx.finish(&table, "a policy", &FIELDS);
    for (field, there) in [
        ("severity", table.has("severity")),
        ("category", table.has("category")),
        ("resource", table.has("resource")),
        ("deny", table.has("deny")),
        ("message", table.has("message")),
        ("references", table.has("references")),
        ("examples", table.has("examples")),
    ] {
        if !there {
            cx.missing(&table, field);
        }
    }
    let (_, name) = name?;
    let policy = Policy {
        rule: Rule {
            url: format!("{PAGES}{name}"),
            name,
            title: title?.1,
            severity: severity?,
            category: category?,
            why: why?.1,
            remediation: remediation?.1,
            references,
            aliases,
            tags,
            implied_by,
        },
        enabled,
        on_request,
        resource,
        guard: flatten(guard)?,
        for_each: flatten(for_each)?,
        node_name,
        deny: deny??,
        at: flatten(at)?,
        params,
        message: message??,
        fix: flatten(fix)?,
        pool: std::mem::take(&mut cx.pool),
    };
    Some((policy, examples??))
}

/// What may be absent but must not be wrong.
fn flatten<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    match field {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}

impl Context<'_, '_> {
    fn missing(&mut self, table: &Table<'_>, field: &str) {
        self.error(table.node.span().start_point(), format!("the policy has no `{field}`"));
    }

    fn required<'n>(&mut self, table: &mut Table<'n>, field: &str) -> Option<(Node<'n>, String)> {
        let Some(node) = table.take(field) else {
            self.missing(table, field);
            return None;
        };
        let words = self.words(node, &format!("`{field}`"))?;
        Some((node, words))
    }

    fn params(&mut self, node: Node<'_>) -> Vec<Param> {
        let Some(table) = self.table(node, "`params`") else { return Vec::new() };
        let mut params = Vec::new();
        for (name, key, node) in table.rest() {
            let what = format!("the parameter `{name}`");
            if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-') {
                self.error(key.span(), "a parameter's name is made of lower-case letters, digits, `_` and `-`");
            }
            let Some(mut table) = self.table(node, &what) else { continue };
            let kind = table.take("type").and_then(|n| self.choice(n, "type", &ValueType::ALL));
            let default_node = table.take("default");
            let default = default_node.map(|n| self.literal(n));
            let description = table.take("description").and_then(|n| self.words(n, "`description`"));
            self.finish(&table, &what, &["type", "default", "description"]);
            for (field, there) in
                [("type", table.has("type")), ("default", default.is_some()), ("description", table.has("description"))]
            {
                if !there {
                    self.error(key.span(), format!("{what} has no `{field}`"));
                }
            }
            self.params.push(name.to_owned());
            let (Some(kind), Some(default), Some(description)) = (kind, default, description) else { continue };
            if type_of(&default).is_some_and(|t| t != kind) {
                let span = default_node.map_or(key.span(), Node::span);
                self.error(span, format!("the default of {what} is no {}", kind.as_str()));
            }
            params.push(Param { name: name.to_owned(), kind, default, description });
        }
        params
    }

    fn references(&mut self, node: Node<'_>) -> Vec<String> {
        let references = self.texts(node, "`references`");
        if references.is_empty() {
            self.error(node.span(), "a policy has at least one reference");
        }
        for reference in &references {
            if !reference.starts_with("https://") && !reference.starts_with("http://") {
                self.error(node.span(), format!("`{reference}` is no address of a page"));
            }
        }
        references
    }

    fn aliases(&mut self, node: Node<'_>) -> Vec<String> {
        let Some(table) = self.table(node, "`aliases`") else { return Vec::new() };
        let mut aliases = Vec::new();
        for (peer, key, node) in table.rest() {
            if !PEERS.contains(&peer) {
                let help = match nearest(peer, PEERS.into_iter()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", PEERS.join(", ")),
                };
                self.error_with_help(key.span(), format!("`{peer}` is none of the tools whose ids are known"), help);
            }
            for id in self.texts(node, "an id") {
                let alias = format!("{peer}:{id}");
                if aliases.contains(&alias) {
                    self.error(node.span(), format!("`{id}` stands twice"));
                }
                aliases.push(alias);
            }
        }
        aliases
    }

    fn fix(&mut self, node: Node<'_>) -> Option<FixPlan> {
        let nodes: Vec<Node<'_>> = if node.is_sequence() { node.items().collect() } else { vec![node] };
        let mut plan: FixPlan = FixPlan { title: None, safety: Safety::Safe, actions: Vec::new() };
        let mut safety_given = false;
        for node in nodes {
            let mut table = self.table(node, "a fix")?;
            if let Some(node) = table.take("safety") {
                safety_given = true;
                let safety = self.choice(node, "safety", &[("safe", Safety::Safe), ("unsafe", Safety::Unsafe)])?;
                plan.safety = plan.safety.max(safety);
            }
            if let Some(node) = table.take("title") {
                plan.title = Some(self.template(node, "`title`")?);
            }
            let action = self.fix_action(&mut table)?;
            self.finish(
                &table,
                "a fix",
                &[
                    "set", "to", "block", "remove", "replace", "pattern", "with", "insert", "before", "after",
                    "safety", "title",
                ],
            );
            plan.actions.push(action);
        }
        if !safety_given {
            self.error_with_help(
                node.span().start_point(),
                "the fix does not say how safe it is",
                "`safety: safe` changes nothing that a running system could miss; anything else is `safety: unsafe`",
            );
            return None;
        }
        Some(plan)
    }

    fn fix_action(&mut self, table: &mut Table<'_>) -> Option<FixAction> {
        if let Some(node) = table.take("set") {
            let path = self.plain_path(node, "`set`")?;
            let Some(to) = table.take("to") else {
                self.error(node.span(), "`set` needs `to`: the value");
                return None;
            };
            let to = self.operand(to, Wanted::Any, "`to`")?;
            let block = table.take("block").and_then(|n| self.boolean(n, "`block`")).unwrap_or(false);
            return Some(FixAction::Set { path, to, block });
        }
        if let Some(node) = table.take("remove") {
            return self.path(node, "`remove`").map(FixAction::Remove);
        }
        if let Some(node) = table.take("replace") {
            let path = self.path(node, "`replace`")?;
            let (Some(pattern), Some(with)) = (table.take("pattern"), table.take("with")) else {
                self.error(node.span(), "`replace` needs `pattern` and `with`");
                return None;
            };
            let text = self.text(pattern, "`pattern`")?;
            let pattern = self.pattern(text, pattern.span());
            let with = self.text(with, "`with`")?.to_owned();
            return Some(FixAction::Replace { path, pattern, with });
        }
        if let Some(node) = table.take("insert") {
            let text = self.template(node, "`insert`")?;
            let (before, after) = (table.take("before"), table.take("after"));
            let (before, beside) = match (before, after) {
                (Some(node), None) => (true, node),
                (None, Some(node)) => (false, node),
                _ => {
                    self.error(node.span(), "`insert` needs one of `before` and `after`");
                    return None;
                }
            };
            let path = self.path(beside, "a place")?;
            return Some(FixAction::Insert { text, before, path });
        }
        self.error_with_help(
            table.node.span().start_point(),
            "the fix does nothing",
            "there are `set`, `remove`, `replace` and `insert`",
        );
        None
    }

    /// A path into which something can be set: nothing but names, indices and `[*]`.
    fn plain_path(&mut self, node: Node<'_>, what: &str) -> Option<Path> {
        use crate::policy::model::Step;
        let path = self.path(node, what)?;
        let plain = path
            .steps
            .iter()
            .all(|s| matches!(s, Step::Name(_) | Step::Names(_) | Step::Index(_) | Step::All | Step::Filter(_)));
        if !plain || path.steps.is_empty() || path.root == Root::Judged {
            self.error(node.span(), format!("{what} takes a path of names, indices and filters"));
            return None;
        }
        Some(path)
    }

    fn examples(&mut self, node: Node<'_>, text: &str) -> Option<Examples> {
        let lines = LineIndex::new(text);
        let mut table = self.table(node, "`examples`")?;
        let mut both = [Vec::new(), Vec::new()];
        for (word, list) in ["bad", "good"].into_iter().zip(&mut both) {
            match table.take(word) {
                Some(node) if node.is_sequence() && node.items().len() > 0 => {
                    for item in node.items() {
                        list.extend(self.example(item, word == "good", &lines, text));
                    }
                }
                Some(node) => self.error(node.span(), format!("`{word}` must be a list of examples")),
                None => self.error(table.node.span().start_point(), format!("there is no `{word}` example")),
            }
        }
        self.finish(&table, "`examples`", &["bad", "good"]);
        let [bad, good] = both;
        Some(Examples { bad, good })
    }

    fn example(&mut self, node: Node<'_>, good: bool, lines: &LineIndex, text: &str) -> Option<Example> {
        let mut table = self.table(node, "an example")?;
        let start = lines.position(text, node.span().start, crate::base::ColumnEncoding::Chars);
        let mut example = Example { place: (start.line, start.column), ..Example::default() };
        for (format, path) in [("terraform", "main.tf"), ("kubernetes", "manifest.yaml"), ("dockerfile", "Dockerfile")]
        {
            if let Some(node) = table.take(format) {
                example.files.push((path.to_owned(), self.text(node, &format!("`{format}`"))?.to_owned()));
            }
        }
        if let Some(node) = table.take("files") {
            let files = self.table(node, "`files`")?;
            for (path, _, node) in files.rest() {
                example.files.push((path.to_owned(), self.text(node, "a file")?.to_owned()));
            }
        }
        if let Some(node) = table.take("params") {
            let params = self.table(node, "`params`")?;
            for (name, key, value) in params.rest() {
                if !self.params.iter().any(|p| p == name) {
                    self.error(key.span(), format!("the policy has no parameter `{name}`"));
                }
                example.params.push((name.to_owned(), self.literal(value)));
            }
        }
        if let Some(node) = table.take("lines") {
            let items: Vec<Node<'_>> = if node.is_sequence() { node.items().collect() } else { vec![node] };
            example.lines = items.into_iter().filter_map(|n| self.count(n, "a line")).collect();
            if good {
                self.error(node.span(), "a good example has no findings, so it has no `lines`");
            }
        }
        if let Some(node) = table.take("unknown") {
            example.unknown = self.boolean(node, "`unknown`")?;
            if !good {
                self.error(node.span(), "an unknown result is no finding: the example belongs under `good`");
            }
        }
        if let Some(node) = table.take("note") {
            example.note = self.words(node, "`note`")?;
        }
        self.finish(
            &table,
            "an example",
            &["terraform", "kubernetes", "dockerfile", "files", "params", "lines", "unknown", "note"],
        );
        if example.files.is_empty() {
            let help = "there are `terraform`, `kubernetes`, `dockerfile` and `files`";
            self.error_with_help(Span { end: node.span().start, ..node.span() }, "the example has no text", help);
            return None;
        }
        Some(example)
    }
}

/// The type of a literal; `None` for null.
fn type_of(literal: &Literal) -> Option<ValueType> {
    Some(match literal {
        Literal::Null => return None,
        Literal::Bool(_) => ValueType::Bool,
        Literal::Int(_) | Literal::Float(_) => ValueType::Number,
        Literal::String(_) => ValueType::String,
        Literal::List(_) => ValueType::List,
        Literal::Map(_) => ValueType::Map,
    })
}
