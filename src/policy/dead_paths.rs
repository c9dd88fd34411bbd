//! Which attributes a policy looks at, so that a name that no provider has can be found: such a policy could never fire.

use super::model::{Check, Condition, FixAction, Operand, Path, Piece, Policy, Quantified, Root, Step, Template};
use crate::providers::{Known, look_up};

/// A path into the resources of some kinds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UsedPath {
    /// The kinds, as the policy matches them; globs are possible.
    pub kinds: Vec<String>,
    /// The names of its steps up to the first that is not plain (`..`, `json()`), without indices and filters.
    pub names: Vec<String>,
    /// As written.
    pub text: String,
}

/// Every path of a policy that leads into a resource of a kind it names, without repeats. A step that names several
/// entries gives a path for each.
pub fn paths(policy: &Policy) -> Vec<UsedPath> {
    let mut collect = Collect { judged: policy.resource.clone(), found: Vec::new() };
    let root = Place { kinds: policy.resource.clone(), node: None, names: Vec::new() };
    if let Some(guard) = &policy.guard {
        collect.condition(guard, &root);
    }
    let mut place = root.clone();
    if let Some(path) = &policy.for_each {
        collect.path(path, &root);
        place.node = collect.start(path, &root);
        place.names.extend(policy.node_name.clone().map(|name| (name, place.node.clone())));
    }
    collect.condition(&policy.deny, &place);
    if let Some(at) = &policy.at {
        collect.path(at, &place);
    }
    collect.template(&policy.message, &place);
    for action in policy.fix.iter().flat_map(|f| &f.actions) {
        match action {
            FixAction::Set { path, to, .. } => {
                collect.path(path, &place);
                collect.operand(to, &place);
            }
            FixAction::Remove(path) | FixAction::Replace { path, .. } => collect.path(path, &place),
            FixAction::Insert { path, text, .. } => {
                collect.path(path, &place);
                collect.template(text, &place);
            }
        }
    }
    let mut found = collect.found;
    found.sort();
    found.dedup();
    found
}

/// A path that no version of a provider has in any of the kinds it is used on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadPath {
    /// The path, or the kind that does not exist.
    pub text: String,
    /// What is wrong, with what may have been meant.
    pub message: String,
}

/// What in a policy can never be there. A path is dead only if all kinds it is used on are known and none has it; a
/// kind is dead if its provider is known and has no such kind.
pub fn dead(policy: &Policy) -> Vec<DeadPath> {
    let mut dead = Vec::new();
    let mut kinds: Vec<String> = policy.resource.clone();
    let used = paths(policy);
    kinds.extend(used.iter().flat_map(|u| u.kinds.iter().cloned()));
    kinds.sort();
    kinds.dedup();
    for kind in kinds.iter().filter(|k| !k.contains(['*', '?'])) {
        if let Known::NoKind(similar) = look_up(kind, &[]) {
            let hint = similar.map_or_else(String::new, |s| format!("; did you mean `{s}`?"));
            dead.push(DeadPath { text: kind.clone(), message: format!("no provider has a `{kind}`{hint}") });
        }
    }
    // One of several names, or of several kinds, is enough for a path to be of use.
    let alive = |path: &UsedPath| {
        let names: Vec<&str> = path.names.iter().map(String::as_str).collect();
        let mut why = None;
        for kind in &path.kinds {
            if kind.contains(['*', '?']) {
                return None;
            }
            if OLDER.iter().any(|(k, path)| k == kind && *path == names) {
                return None;
            }
            match look_up(kind, &names) {
                Known::NoName { name, similar } => {
                    let hint = similar.map_or_else(String::new, |s| format!("; did you mean `{s}`?"));
                    why.get_or_insert(format!("`{kind}` has no `{name}` there{hint}"));
                }
                Known::NoKind(_) => {}
                _ => return None,
            }
        }
        why
    };
    let mut texts: Vec<&str> = used.iter().map(|u| u.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    for text in texts {
        let whys: Vec<Option<String>> = used.iter().filter(|u| u.text == text).map(alive).collect();
        if let (true, Some(Some(message))) = (whys.iter().all(Option::is_some), whys.first()) {
            dead.push(DeadPath { text: text.to_owned(), message: message.clone() });
        }
    }
    dead
}

/// Whether kinds of a `kind` condition are among those it stands under.
fn narrows(kinds: &[String], among: &[String]) -> bool {
    let wild = |k: &String| k.contains(['*', '?']);
    kinds.iter().any(|k| among.iter().any(|a| a == k || wild(a) || wild(k)))
}

/// Names that providers had before the oldest version that the table knows of.
const OLDER: [(&str, &[&str]); 6] = [
    // azurerm before 2.0; now a resource of its own joins the two.
    ("azurerm_network_interface", &["network_security_group_id"]),
    ("azurerm_subnet", &["network_security_group_id"]),
    // google before 4.0.
    ("google_container_cluster", &["master_auth", "password"]),
    ("google_container_cluster", &["master_auth", "username"]),
    ("google_container_cluster", &["ip_allocation_policy", "use_ip_aliases"]),
    ("google_container_node_pool", &["node_config", "workload_metadata_config", "node_metadata"]),
];

/// What `$`, `@` and the names mean at a place of the policy.
#[derive(Clone)]
struct Place {
    /// The kinds of `$`; empty where they are not known.
    kinds: Vec<String>,
    /// The kinds and the way from them to `@`.
    node: Option<Way>,
    names: Vec<(String, Option<Way>)>,
}

type Way = (Vec<String>, Vec<Vec<String>>);

struct Collect {
    judged: Vec<String>,
    found: Vec<UsedPath>,
}

impl Collect {
    fn condition(&mut self, condition: &Condition, place: &Place) {
        match condition {
            Condition::Constant(_) | Condition::Kind(_) => {}
            Condition::All(parts) => {
                // A `kind` beside other conditions says of which kinds those are.
                let kinds = parts.iter().find_map(|part| match part {
                    Condition::Kind(kinds) => Some(kinds.clone()),
                    _ => None,
                });
                // On a view it speaks of what the node was made from, and says nothing of the view's own fields.
                let place = match kinds {
                    Some(kinds) if narrows(&kinds, &place.kinds) => Place { kinds, ..place.clone() },
                    Some(_) => Place { kinds: Vec::new(), ..place.clone() },
                    None => place.clone(),
                };
                parts.iter().for_each(|part| self.condition(part, &place));
            }
            Condition::Any(parts) => parts.iter().for_each(|part| self.condition(part, place)),
            Condition::Not(part) => self.condition(part, place),
            Condition::Test(test) => {
                self.path(&test.path, place);
                test.default.iter().for_each(|operand| self.operand(operand, place));
                test.checks.iter().filter_map(operand_of).for_each(|operand| self.operand(operand, place));
            }
            Condition::ForEach { path, name, quantified } => {
                self.path(path, place);
                let way = self.start(path, place);
                let mut inner = Place { node: way.clone(), ..place.clone() };
                inner.names.extend(name.clone().map(|name| (name, way)));
                self.condition(&quantified.condition, &inner);
            }
            Condition::Related(related) => self.other(&related.kind, related.name.as_ref(), &related.quantified, place),
            Condition::Resources { kind, name, quantified, .. } => self.other(kind, name.as_ref(), quantified, place),
            Condition::PortRange { from, to, .. } => {
                self.path(from, place);
                self.path(to, place);
            }
        }
    }

    fn other(&mut self, kinds: &[String], name: Option<&String>, quantified: &Quantified, place: &Place) {
        let mut inner = Place { kinds: kinds.to_vec(), ..place.clone() };
        inner.names.extend(name.map(|name| (name.clone(), Some((kinds.to_vec(), vec![Vec::new()])))));
        self.condition(&quantified.condition, &inner);
    }

    fn operand(&mut self, operand: &Operand, place: &Place) {
        if let Operand::Path(path) = operand {
            self.path(path, place);
        }
    }

    fn template(&mut self, template: &Template, place: &Place) {
        for piece in &template.0 {
            if let Piece::Path(path) = piece {
                self.path(path, place);
            }
        }
    }

    fn path(&mut self, path: &Path, place: &Place) {
        let Some((kinds, ways)) = self.prefix(path, place) else { return };
        for names in ways.into_iter().filter(|names| !names.is_empty()) {
            self.found.push(UsedPath { kinds: kinds.clone(), names, text: path.text.clone() });
        }
        // The paths inside of filters start at the candidate.
        let mut before = Path { root: path.root.clone(), steps: Vec::new(), text: path.text.clone() };
        for step in &path.steps {
            if let Step::Filter(condition) = step {
                let inner = Place { node: self.start(&before, place), ..place.clone() };
                self.condition(condition, &inner);
            }
            before.steps.push(step.clone());
        }
    }

    /// The same for a path that others start from: nothing is known of what lies behind `json()` and the like.
    fn start(&self, path: &Path, place: &Place) -> Option<Way> {
        let opaque =
            |step: &Step| matches!(step, Step::Descend | Step::Json | Step::Keys | Step::Split(..) | Step::Quantity);
        if path.steps.iter().any(opaque) { None } else { self.prefix(path, place) }
    }

    /// The kinds that a path leads into, and the names on the way.
    fn prefix(&self, path: &Path, place: &Place) -> Option<Way> {
        let (kinds, mut ways) = match &path.root {
            Root::Resource => (place.kinds.clone(), vec![Vec::new()]),
            Root::Judged => (self.judged.clone(), vec![Vec::new()]),
            Root::Node => place.node.clone()?,
            Root::Named(name) => place.names.iter().rev().find(|(n, _)| n == name)?.1.clone()?,
        };
        for step in &path.steps {
            match step {
                Step::Name(name) => ways.iter_mut().for_each(|way| way.push(name.clone())),
                Step::Names(names) => {
                    ways = ways
                        .iter()
                        .flat_map(|way| {
                            names.iter().map(|name| way.iter().cloned().chain([name.clone()]).collect::<Vec<_>>())
                        })
                        .collect();
                }
                Step::Index(_) | Step::Slice(..) | Step::All | Step::Filter(_) | Step::Elements => {}
                Step::Descend | Step::Json | Step::Keys | Step::Split(..) | Step::Quantity => break,
            }
        }
        Some((kinds, ways))
    }
}

/// The operand of a check, where it has one.
fn operand_of(check: &Check) -> Option<&Operand> {
    match check {
        Check::Equals(o, _)
        | Check::In(o, _)
        | Check::MatchesOperand(o, _)
        | Check::StartsWith(o)
        | Check::EndsWith(o)
        | Check::Contains(o, _)
        | Check::ContainsAny(o)
        | Check::ContainsAll(o)
        | Check::SubsetOf(o)
        | Check::SupersetOf(o)
        | Check::Intersects(o)
        | Check::SelectsLabels(o)
        | Check::Number(_, o)
        | Check::Version(o) => Some(o),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]
    use crate::base::Files;
    use crate::policy::PolicySet;

    fn policy(resource: &str, deny: &str) -> PolicySet {
        let text = format!(
            "name: p\ntitle: t\nseverity: low\ncategory: hygiene\nresource: {resource}\nwhy: w\nremediation: r\nmessage: m\n\
             references: [https://example.org]\nexamples: {{bad: [{{dockerfile: x}}], good: [{{dockerfile: x}}]}}\ndeny: {deny}"
        );
        let mut files = Files::default();
        files.set("p.yaml", text.as_str().into());
        let (set, errors) = PolicySet::from_files(&files, "");
        assert!(errors.is_empty(), "{errors:?}");
        set
    }

    fn check(resource: &str, deny: &str) -> Vec<String> {
        let set = policy(resource, deny);
        super::paths(&set.get("p").unwrap().policy)
            .iter()
            .map(|p| format!("{}: {}", p.kinds.join(","), p.names.join(".")))
            .collect()
    }

    #[test]
    fn dead_paths_are_found() {
        let dead = |resource: &str, deny: &str| {
            let set = policy(resource, deny);
            let found = super::dead(&set.get("p").unwrap().policy);
            found.into_iter().map(|d| d.message).collect::<Vec<_>>()
        };
        assert_eq!(dead("aws_s3_bucket", "{path: $.acl, exists: true}"), [""; 0]);
        assert!(
            dead("aws_s3_bucket", "{path: $.alc, exists: true}")[0].starts_with("`aws_s3_bucket` has no `alc` there")
        );
        assert_eq!(dead("[aws_s3_bucket, aws_s3_bucket_versioning]", "{path: $.acl, exists: true}"), [""; 0]);
        assert!(dead("aws_s3_bucked", "true")[0].starts_with("no provider has a `aws_s3_bucked`"));
        assert_eq!(dead("aws_s3_bucket", "{path: \"$['acl','alc']\", exists: true}"), [""; 0]);
        let json = "{for_each: '$.container_definitions.json()[*]', some: {path: '@.privileged', is_true: true}}";
        assert_eq!(dead("aws_ecs_task_definition", json), [""; 0]);
        assert_eq!(dead("Deployment", "{path: $.spec.x, exists: true}"), [""; 0]);
    }

    /// Names that the providers do not have make a policy that can never fire.
    #[test]
    fn no_policy_of_ours_looks_at_what_does_not_exist() {
        let wrong: Vec<String> = PolicySet::builtin()
            .entries()
            .iter()
            .flat_map(|entry| {
                let dead = super::dead(&entry.policy().unwrap().policy);
                dead.into_iter().map(|d| format!("{}: {}: {}", entry.index.file, d.text, d.message))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        assert_eq!(check("a", "{path: '$.b[*].c', equals: {path: $.d.json().e}}"), ["a: b.c", "a: d"]);
        assert_eq!(check("a", "{path: $.x, default: {path: $.d.json().e}, equals: 1}"), ["a: d", "a: x"]);
        assert_eq!(
            check("a", "{for_each: $.b, some: {path: \"@['c','d'].e\", exists: true}}"),
            ["a: b", "a: b.c.e", "a: b.d.e"]
        );
        assert_eq!(check("a", "{path: \"$.b[?@.n == 'x'].v\", exists: true}"), ["a: b.n", "a: b.v"]);
        let related = "{related: {kind: [x, y], as: o, some: {all: [{path: $.z, exists: true}, {path: '@root.q', exists: true}]}}}";
        assert_eq!(check("a", related), ["a: q", "x,y: z"]);
        assert_eq!(check("[a, b]", "{all: [{kind: b}, {path: $.only, exists: true}]}"), ["b: only"]);
    }
}
