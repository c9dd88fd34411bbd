//! Views.

use super::Context;
use super::reader::{Table, describe};
use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::policy::model::{Field, View, ViewSource};
use crate::syntax::yaml::Node;

/// The algorithms that a view may name.
pub(super) const LENSES: [(&str, ()); 2] = [("iam-statements", ()), ("image-reference", ())];

/// A view. `stem` is the file's name without its ending.
pub(super) fn view(cx: &mut Context<'_, '_>, root: Node<'_>, stem: &str) -> Option<View> {
    let mut table = cx.table(root, "a view")?;
    cx.nodes = true;
    let name = match table.take("view") {
        Some(node) => {
            let name = cx.words(node, "`view`")?;
            if name != stem {
                cx.error(node.span(), format!("the name is not that of the file, `{stem}`"));
            }
            name
        }
        None => {
            cx.error(root.span().start_point(), "the file has no `view`: the name");
            return None;
        }
    };
    let doc = match table.take("doc") {
        Some(node) => cx.words(node, "`doc`")?,
        None => {
            cx.error(root.span().start_point(), "the view has no `doc`: what it is and what its fields mean");
            return None;
        }
    };
    let mut sources = Vec::new();
    match table.take("from") {
        Some(node) if node.is_sequence() => {
            for item in node.items() {
                sources.extend(cx.view_source(item));
            }
        }
        _ => cx.error(root.span().start_point(), "the view has no `from`: a list of what it is made from"),
    }
    cx.finish(&table, "a view", &["view", "doc", "from"]);
    Some(View { name, doc, sources })
}

/// Puts views behind those that they are made from. A circle is an error. Globs mean native kinds only: a view that is made
/// from another names it.
pub(super) fn sort(views: &mut Vec<View>, errors: &mut Vec<SyntaxError>) {
    let mut sorted: Vec<View> = Vec::with_capacity(views.len());
    while !views.is_empty() {
        let ready = views.iter().position(|view| {
            let needs = |other: &&View| {
                other.name != view.name && view.sources.iter().any(|s| s.resource.contains(&other.name))
            };
            !views.iter().any(|other| needs(&other))
        });
        match ready {
            Some(index) => sorted.push(views.remove(index)),
            None => {
                let names: Vec<&str> = views.iter().map(|v| v.name.as_str()).collect();
                let message = format!("these views are made from each other: {}", names.join(", "));
                errors.push(SyntaxError::new(Span::at(FileId::NONE, 0), message));
                sorted.append(views);
            }
        }
    }
    *views = sorted;
}

impl Context<'_, '_> {
    fn view_source(&mut self, node: Node<'_>) -> Option<ViewSource> {
        let mut table = self.table(node, "a source of a view")?;
        let Some(resource) = table.take("resource") else {
            self.error(node.span().start_point(), "a source of a view needs `resource`: kinds or views");
            return None;
        };
        let resource = self.texts(resource, "`resource`");
        let for_each = match table.take("for_each") {
            Some(node) => Some(self.path(node, "`for_each`")?.into_elements()),
            None => None,
        };
        let guard = match table.take("where") {
            Some(node) => Some(self.condition(node)?),
            None => None,
        };
        let name = match table.take("name") {
            Some(node) => Some(self.field(node)?),
            None => None,
        };
        let spread = match table.take("spread") {
            Some(node) => self.paths(node),
            None => Vec::new(),
        };
        let fields = match table.take("fields") {
            Some(node) => self.fields(node)?,
            None => Vec::new(),
        };
        let lens = match table.take("lens") {
            Some(node) => {
                self.choice(node, "lens", &LENSES)?;
                let name = self.words(node, "`lens`")?;
                let Some(documents) = table.take("document") else {
                    self.error(node.span(), "a lens needs `document`: a path, or a list of paths");
                    return None;
                };
                Some((name, self.paths(documents)))
            }
            None => None,
        };
        self.finish(
            &table,
            "a source of a view",
            &["resource", "for_each", "where", "name", "spread", "fields", "lens", "document"],
        );
        if spread.is_empty() && fields.is_empty() && lens.is_none() {
            self.error(node.span().start_point(), "the source makes nothing: it needs `fields`, `spread` or `lens`");
        }
        let pool = std::mem::take(&mut self.pool);
        Some(ViewSource { resource, guard, for_each, name, spread, fields, lens, pool })
    }

    fn paths(&mut self, node: Node<'_>) -> Vec<crate::policy::model::Path> {
        if node.is_sequence() {
            node.items().filter_map(|item| self.path(item, "a path")).collect()
        } else {
            self.path(node, "a path").into_iter().collect()
        }
    }

    fn fields(&mut self, node: Node<'_>) -> Option<Vec<(String, Field)>> {
        let table = self.table(node, "`fields`")?;
        let mut fields = Vec::new();
        for (name, _, node) in table.rest() {
            fields.push((name.to_owned(), self.field(node)?));
        }
        Some(fields)
    }

    /// A path, a list of paths, or a mapping that says more.
    fn field(&mut self, node: Node<'_>) -> Option<Field> {
        self.depth += 1;
        let field = if self.depth > super::DEEPEST {
            self.error(node.span(), "fields nest too deep");
            None
        } else {
            self.field_inside(node)
        };
        self.depth -= 1;
        field
    }

    fn field_inside(&mut self, node: Node<'_>) -> Option<Field> {
        if node.is_sequence() {
            return Some(Field::List(self.paths(node)));
        }
        if node.is_scalar() {
            return self.path(node, "a field").map(|path| Field::First(vec![path], None));
        }
        let mut table = self.table(node, "a field")?;
        let known = ["value", "path", "first", "default", "list", "translate", "table", "case", "range", "fields"];
        let field = self.field_table(&mut table)?;
        self.finish(&table, "a field", &known);
        Some(field)
    }

    fn field_table(&mut self, table: &mut Table<'_>) -> Option<Field> {
        if let Some(node) = table.take("value") {
            let literal = self.literal(node);
            return Some(Field::Literal(self.pooled(literal, node.span())));
        }
        if let Some(node) = table.take("path").or_else(|| table.take("first")) {
            let paths = self.paths(node);
            let default = table.take("default").map(|n| {
                let literal = self.literal(n);
                self.pooled(literal, n.span())
            });
            return Some(Field::First(paths, default));
        }
        if let Some(node) = table.take("list") {
            return Some(Field::List(self.paths(node)));
        }
        if let Some(node) = table.take("translate") {
            let from = self.field(node)?;
            let Some(words) = table.take("table") else {
                self.error(node.span(), "`translate` needs `table`: what each word becomes");
                return None;
            };
            let words = self.table(words, "`table`")?;
            let mut entries = Vec::new();
            for (word, _, value) in words.rest() {
                let literal = self.literal(value);
                entries.push((word.to_owned(), self.pooled(literal, value.span())));
            }
            return Some(Field::Translate(Box::new(from), entries));
        }
        if let Some(node) = table.take("case") {
            let mut cases = Vec::new();
            for item in node.items() {
                let mut case = self.table(item, "a case")?;
                let condition = match case.take("when") {
                    Some(node) => self.condition(node)?,
                    None => crate::policy::model::Condition::Constant(true),
                };
                let Some(field) = case.take("then") else {
                    self.error(item.span().start_point(), "a case needs `then`: the field");
                    return None;
                };
                cases.push((condition, self.field(field)?));
                self.finish(&case, "a case", &["when", "then"]);
            }
            return Some(Field::Case(cases));
        }
        if let Some(node) = table.take("range") {
            let mut paths = self.paths(node).into_iter();
            if let (Some(from), Some(to), None) = (paths.next(), paths.next(), paths.next()) {
                return Some(Field::Range(from, to));
            }
            self.error(node.span(), "`range` takes two paths: the first and the last");
            return None;
        }
        if let Some(node) = table.take("fields") {
            return self.fields(node).map(Field::Map);
        }
        self.error(table.node.span(), format!("{} says nothing about the field", describe(table.node)));
        None
    }
}
