//! What a JSON Schema says may stand at a place of a document. Enough of JSON Schema for the schemas of this program:
//! `properties`, `additionalProperties`, `items`, `anyOf`, `$ref` within the schema, `enum`, `default`.

use serde_json::Value;
use std::sync::LazyLock;

/// The schema of a policy.
pub static POLICY: LazyLock<Schema> = LazyLock::new(|| Schema::new(include_str!("../../../docs/policy.schema.json")));
/// The schema of `stacklint.toml`.
pub static CONFIG: LazyLock<Schema> = LazyLock::new(|| Schema::new(include_str!("../../../docs/config.schema.json")));

/// How many references and alternatives are followed at one place.
const MOST_HOPS: usize = 32;

/// A step from a document into it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list, by its number.
    Item(usize),
}

/// A JSON Schema.
pub struct Schema {
    root: Value,
}

/// A key that may stand in a mapping.
pub struct Key<'s> {
    /// The key.
    pub name: &'s str,
    /// What it means, if the schema says so.
    pub description: Option<&'s str>,
    /// What may be its value.
    pub shape: Shape,
}

/// What a value looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One line.
    Scalar,
    /// A list, and nothing else.
    List,
    /// A mapping, and nothing else.
    Map,
}

impl Schema {
    fn new(text: &str) -> Schema {
        Schema { root: serde_json::from_str(text).unwrap_or_default() }
    }

    /// The keys that may stand in the mapping at a place.
    pub fn keys(&self, path: &[Step]) -> Vec<Key<'_>> {
        let mut keys: Vec<Key<'_>> = Vec::new();
        for node in self.at(path) {
            for (name, value) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if !keys.iter().any(|k| k.name == name) {
                    keys.push(Key { name, description: self.description(value), shape: self.shape(value) });
                }
            }
        }
        keys
    }

    /// The values that may stand at a place, where they can be counted.
    pub fn values(&self, path: &[Step]) -> Vec<String> {
        let mut values = Vec::new();
        for node in self.at(path) {
            let listed = node.get("enum").and_then(Value::as_array);
            values.extend(listed.into_iter().flatten().map(|v| v.as_str().map_or(v.to_string(), str::to_owned)));
            if listed.is_none() && is_of(node, "boolean") {
                values.extend(["true", "false"].map(str::to_owned));
            }
        }
        let mut seen = crate::base::FastSet::default();
        values.retain(|v| seen.insert(v.clone()));
        values
    }

    /// What the schema says of the value at a place, and its default.
    pub fn about(&self, path: &[Step]) -> Option<String> {
        let (last, before) = path.split_last()?;
        let Step::Key(key) = last else { return None };
        let node = self.at(before).into_iter().find_map(|n| n.get("properties")?.get(key))?;
        let mut text = self.description(node)?.to_owned();
        if let Some(default) = node.get("default") {
            text.push_str(&format!("\n\nDefault: `{default}`"));
        }
        Some(text)
    }

    /// Whether a place takes names of policies and what else selects them.
    pub fn is_selector(&self, path: &[Step]) -> bool {
        self.at(path).iter().any(|n| n.get("title").and_then(Value::as_str) == Some("selector"))
    }

    /// Every schema that a place may be held against.
    fn at(&self, path: &[Step]) -> Vec<&Value> {
        let mut now = self.alternatives(&self.root);
        for step in path {
            let next = now.iter().filter_map(|node| match step {
                Step::Key(key) => {
                    node.get("properties").and_then(|p| p.get(key)).or_else(|| node.get("additionalProperties"))
                }
                Step::Item(_) => node.get("items"),
            });
            now = next.flat_map(|node| self.alternatives(node)).collect();
        }
        now
    }

    /// A schema, or those it refers to and chooses from.
    fn alternatives<'s>(&'s self, node: &'s Value) -> Vec<&'s Value> {
        let mut found = Vec::new();
        let mut todo = vec![node];
        let mut hops = 0;
        while let Some(node) = todo.pop() {
            hops += 1;
            if hops > MOST_HOPS {
                break;
            }
            found.push(node);
            let target = node.get("$ref").and_then(Value::as_str).and_then(|r| self.root.pointer(r.strip_prefix('#')?));
            todo.extend(target);
            todo.extend(["anyOf", "oneOf", "allOf"].iter().flat_map(|k| node.get(k)?.as_array()).flatten());
        }
        found
    }

    fn description<'s>(&'s self, node: &'s Value) -> Option<&'s str> {
        self.alternatives(node).into_iter().find_map(|n| n.get("description")?.as_str())
    }

    fn shape(&self, node: &Value) -> Shape {
        let all = self.alternatives(node);
        let takes = |what: &str| all.iter().any(|n| is_of(n, what));
        let scalar = ["string", "number", "integer", "boolean"].iter().any(|t| takes(t))
            || all.iter().any(|n| n.get("enum").is_some())
            // `true` takes anything.
            || all.iter().all(|n| n.is_boolean());
        match (scalar, takes("array"), takes("object")) {
            (false, true, false) => Shape::List,
            (false, false, true) => Shape::Map,
            _ => Shape::Scalar,
        }
    }
}

/// Whether a schema's `type` is, or has in it, this one.
fn is_of(node: &Value, what: &str) -> bool {
    match node.get("type") {
        Some(Value::String(one)) => one == what,
        Some(Value::Array(several)) => several.iter().any(|t| t == what),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Step> {
        let step = |s: &str| s.parse().map_or_else(|_| Step::Key(s.to_owned()), Step::Item);
        text.split('.').filter(|s| !s.is_empty()).map(step).collect()
    }

    fn keys(schema: &'static Schema, at: &str) -> Vec<&'static str> {
        schema.keys(&path(at)).into_iter().map(|k| k.name).collect()
    }

    #[test]
    fn keys_are_found_through_references_and_alternatives() {
        assert!(keys(&POLICY, "").contains(&"deny"));
        let predicates = keys(&POLICY, "deny.any.1.not");
        assert!(predicates.contains(&"is_secret") && predicates.contains(&"related"), "{predicates:?}");
        assert_eq!(keys(&POLICY, "deny.related").first(), Some(&"kind"));
        assert!(keys(&POLICY, "examples.bad.0").contains(&"terraform"));
        assert!(keys(&POLICY, "title").is_empty());
        assert!(keys(&CONFIG, "per-path.0").contains(&"reason"));
    }

    #[test]
    fn values_are_those_that_can_be_counted() {
        assert_eq!(POLICY.values(&path("severity")), ["critical", "high", "medium", "low", "info"]);
        assert_eq!(POLICY.values(&path("deny.exists")), ["true", "false"]);
        assert_eq!(POLICY.values(&path("fix.safety")), ["safe", "unsafe"]);
        assert_eq!(CONFIG.values(&path("unknown")), ["silent", "warn", "fail"]);
        assert_eq!(CONFIG.values(&path("severity.anything")), ["critical", "high", "medium", "low", "info"]);
        assert!(CONFIG.is_selector(&path("select.0")) && CONFIG.is_selector(&path("per-path.2.ignore.0")));
    }

    #[test]
    fn the_schema_of_the_configuration_knows_what_the_configuration_knows() {
        for (table, at) in
            [("", ""), ("[[per-path]]", "per-path.0"), ("[terraform]", "terraform"), ("[kubernetes]", "kubernetes")]
        {
            let mistake =
                crate::config::Config::parse("stacklint.toml", &format!("{table}\nqqqqqqqqqqqq = 1\n")).unwrap_err();
            let help = mistake.help.unwrap();
            let mut known: Vec<&str> = help.strip_prefix("known here: ").unwrap().split(", ").collect();
            let mut here = keys(&CONFIG, at);
            known.sort_unstable();
            here.sort_unstable();
            assert_eq!(here, known, "{table}");
        }
        let whole = "select = [\"a\"]\nmin-severity = \"low\"\nunknown = \"fail\"\n[severity]\n\"aws-*\" = \"high\"\n[params.p]\nn = 1\n\
            [[per-path]]\npaths = [\"x\"]\nignore = [\"*\"]\n[terraform]\nvars = {a = 1}\n";
        crate::config::Config::parse("stacklint.toml", whole).unwrap();
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("config.json", CONFIG.root.clone()).unwrap();
        let schema = compiler.compile("config.json", &mut schemas).unwrap();
        let json: Value = toml::from_str(whole).unwrap();
        schemas.validate(&json, schema).unwrap();
        assert!(schemas.validate(&serde_json::json!({"unknown": "perhaps"}), schema).is_err());
    }

    #[test]
    fn shapes_say_what_follows_a_key() {
        let shape = |schema: &'static Schema, at: &str, key: &str| {
            schema.keys(&path(at)).into_iter().find(|k| k.name == key).map(|k| k.shape)
        };
        assert_eq!(shape(&POLICY, "", "severity"), Some(Shape::Scalar));
        assert_eq!(shape(&POLICY, "", "aliases"), Some(Shape::Map));
        assert_eq!(shape(&POLICY, "", "references"), Some(Shape::List));
        assert_eq!(shape(&CONFIG, "", "per-path"), Some(Shape::List));
        assert_eq!(shape(&CONFIG, "", "terraform"), Some(Shape::Map));
    }
}
