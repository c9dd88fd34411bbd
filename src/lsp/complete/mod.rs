//! Completion: names of policies in ignore comments, everything in `stacklint.toml` and in policies of the user's own.

pub mod context;
pub mod schema;

use super::convert;
use super::hover;
use crate::analysis::{Report, built_in_rules};
use crate::base::{ColumnEncoding, SourceFile, Span};
use crate::config::{FILE_NAME, PEERS};
use crate::diagnostic::{Category, Rule, Severity};
use crate::policy::{PolicySet, literal_value};
use crate::providers;
use context::{Context, What};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionList, CompletionTextEdit, Documentation, MarkupContent, MarkupKind,
    TextEdit,
};
use schema::{CONFIG, POLICY, Shape, Step};
use std::sync::Arc;

/// How many kinds of resources are offered at a time; there are thousands.
const MOST_KINDS: usize = 200;

/// The file in which something is to be completed, and what is known.
pub struct Completer<'a> {
    /// The findings, so that what one wants to silence comes first.
    pub report: &'a Report,
    /// The policies there are.
    pub policies: &'a PolicySet,
    /// The file.
    pub file: &'a SourceFile,
    /// Where the cursor stands.
    pub offset: u32,
    /// What columns count.
    pub encoding: ColumnEncoding,
    /// Whether the file is a policy.
    pub is_policy: bool,
}

/// What kind of document a file is, apart from what is checked in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `stacklint.toml`.
    Config,
    /// A policy of the user's own.
    Policy,
    /// Something else.
    Other,
}

impl Kind {
    /// The kind of a file.
    pub fn of(file: &SourceFile, is_policy: bool) -> Kind {
        if file.path.rsplit('/').next() == Some(FILE_NAME) {
            Kind::Config
        } else if is_policy || looks_like_policy(file) {
            Kind::Policy
        } else {
            Kind::Other
        }
    }
}

/// Whether a YAML file has what every policy has: so a first policy is completed before the configuration names its folder.
fn looks_like_policy(file: &SourceFile) -> bool {
    let is_yaml = file.path.ends_with(".yaml") || file.path.ends_with(".yml");
    let has = |key: &str| file.text.lines().any(|l| l.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    is_yaml && has("severity") && (has("deny") || has("resource")) && !has("apiVersion")
}

/// Every rule there is: those of policies, and those about ignores.
fn rules(policies: &PolicySet) -> Vec<Arc<Rule>> {
    let of_policies = policies.entries().iter().filter_map(|e| e.policy().map(|p| p.rule.clone()));
    of_policies.chain(built_in_rules()).collect()
}

/// Fills in what was left out of an item because it costs: the page of its policy.
pub fn resolve(policies: &PolicySet, mut item: CompletionItem) -> CompletionItem {
    let name = item.data.as_ref().and_then(|d| d.as_str());
    let rule = name.and_then(|name| match policies.get(name) {
        Some(policy) => Some(policy.rule.clone()),
        None => built_in_rules().into_iter().find(|r| r.name == name),
    });
    if let Some(rule) = rule {
        item.documentation = Some(markdown(hover::page(&rule)));
    }
    item
}

fn markdown(value: String) -> Documentation {
    Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
}

/// Something that may be written.
struct Offer {
    label: String,
    /// What is inserted.
    text: String,
    kind: CompletionItemKind,
    detail: Option<String>,
    documentation: Option<String>,
    /// The policy whose page belongs to it.
    policy: Option<String>,
    /// Whether it comes before others.
    first: bool,
}

impl Offer {
    fn new(label: impl Into<String>, kind: CompletionItemKind) -> Offer {
        let label = label.into();
        let text = label.clone();
        Offer { label, text, kind, detail: None, documentation: None, policy: None, first: false }
    }

    fn detail(self, detail: impl Into<String>) -> Offer {
        Offer { detail: Some(detail.into()), ..self }
    }
}

impl Completer<'_> {
    /// What fits at the cursor.
    pub fn complete(&self) -> CompletionList {
        let offset = self.offset as usize;
        let mut is_incomplete = false;
        let (start, offers) = match self.directive() {
            Some(start) => (start, self.in_directive(start)),
            None => match Kind::of(self.file, self.is_policy) {
                Kind::Config => match context::toml(&self.file.text, offset) {
                    Some(at) => (at.start, self.in_config(&at)),
                    None => return CompletionList::default(),
                },
                Kind::Policy => match context::yaml(&self.file.text, offset) {
                    Some(at) => {
                        let (offers, cut) = self.in_policy(&at);
                        is_incomplete = cut;
                        (at.start, offers)
                    }
                    None => return CompletionList::default(),
                },
                Kind::Other => return CompletionList::default(),
            },
        };
        let range = convert::range(self.file, Span::new(self.file.id, start..offset), self.encoding);
        let items = offers.into_iter().map(|offer| CompletionItem {
            sort_text: Some(format!("{}{}", u8::from(!offer.first), offer.label)),
            filter_text: Some(offer.label.clone()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: offer.text })),
            label: offer.label,
            kind: Some(offer.kind),
            detail: offer.detail,
            documentation: offer.documentation.map(markdown),
            data: offer.policy.map(Into::into),
            ..CompletionItem::default()
        });
        CompletionList { is_incomplete, items: items.collect() }
    }

    fn typed(&self, start: usize) -> &str {
        self.file.text.get(start..self.offset as usize).unwrap_or("")
    }

    /// The beginning of the word at the cursor, where that stands inside of the brackets of an ignore comment.
    fn directive(&self) -> Option<usize> {
        let lines = self.file.lines();
        let line = lines.line_range(&self.file.text, lines.line(self.offset));
        let before = self.file.text.get(line.start..self.offset as usize)?;
        let verb = before.rfind("stacklint:")?;
        let open = verb + before[verb..].find('[')?;
        let word = before[verb..open].trim_start_matches("stacklint:").trim();
        if !matches!(word, "ignore" | "ignore-file") || before[open..].contains(']') {
            return None;
        }
        let names = &before[open + 1..];
        let last = names.rfind(',').map_or(0, |i| i + 1);
        let spaces = names[last..].len() - names[last..].trim_start().len();
        Some(line.start + open + 1 + last + spaces)
    }

    /// Names of policies, those with a finding nearby before the others.
    fn in_directive(&self, start: usize) -> Vec<Offer> {
        let lines = self.file.lines();
        let line = lines.line(self.offset);
        let near = |rule: &str| {
            self.report.diagnostics.iter().any(|d| {
                let span = d.primary.span;
                d.rule.name == rule && span.file == self.file.id && {
                    let below = i64::from(lines.line(span.start)) - i64::from(line);
                    (-1..=60).contains(&below)
                }
            })
        };
        let mut offers = self.selectors(start);
        for offer in &mut offers {
            offer.first = offer.policy.as_deref().is_some_and(near);
        }
        offers
    }

    /// What selects policies: names, groups, and other tools' ids once one begins to write one.
    fn selectors(&self, start: usize) -> Vec<Offer> {
        let typed = self.typed(start);
        if let Some((peer, _)) = typed.split_once(':').filter(|(peer, _)| PEERS.contains(peer)) {
            let mut offers = Vec::new();
            for entry in self.policies.entries() {
                let mine = entry.index.aliases.iter().filter(|a| a.split_once(':').is_some_and(|(p, _)| p == peer));
                offers.extend(mine.map(|alias| Offer {
                    policy: Some(entry.name().to_owned()),
                    ..Offer::new(alias.as_str(), CompletionItemKind::CONSTANT).detail(entry.name())
                }));
            }
            offers.sort_by(|a, b| a.label.cmp(&b.label));
            offers.dedup_by(|a, b| a.label == b.label);
            return offers;
        }
        let policies = rules(self.policies).into_iter().map(|rule| Offer {
            policy: Some(rule.name.clone()),
            ..Offer::new(rule.name.as_str(), CompletionItemKind::CONSTANT).detail(rule.title.as_str())
        });
        let group = |label: String, what: &str| Offer::new(label, CompletionItemKind::ENUM_MEMBER).detail(what);
        let categories = Category::ALL.iter().map(|c| group(c.as_str().to_owned(), "category"));
        let severities = Severity::ALL.iter().map(|s| group(format!("severity:{s}"), "severity"));
        let mut tags: Vec<&String> = self.policies.entries().iter().flat_map(|e| &e.index.tags).collect();
        tags.sort_unstable();
        tags.dedup();
        let tags = tags.into_iter().map(|t| group(format!("tag:{t}"), "tag"));
        let peers =
            PEERS.iter().map(|p| Offer::new(format!("{p}:"), CompletionItemKind::KEYWORD).detail("another tool's ids"));
        policies.chain(categories).chain(severities).chain(tags).chain(peers).collect()
    }

    fn in_config(&self, at: &Context) -> Vec<Offer> {
        let keys = || CONFIG.keys(&at.path).into_iter().filter(|k| !at.taken.iter().any(|t| t == k.name));
        let offer = |key: &schema::Key<'_>, text: String| Offer {
            text,
            documentation: key.description.map(str::to_owned),
            ..Offer::new(key.name, CompletionItemKind::PROPERTY)
        };
        // A table in brackets: `[terraform]`, `[[per-path]]`.
        let table = |key: &schema::Key<'_>| match key.shape {
            Shape::Map => Some(format!("[{}]", key.name)),
            Shape::List if !CONFIG.keys(&[Step::Key(key.name.to_owned()), Step::Item(0)]).is_empty() => {
                Some(format!("[[{}]]", key.name))
            }
            _ => None,
        };
        let quoted = |offer: Offer| match at.quoted {
            Some(_) => offer,
            None => Offer { text: format!("\"{}\"", offer.text), ..offer },
        };
        let is_in = |name: &str| at.path.first() == Some(&Step::Key(name.to_owned()));
        match at.what {
            What::Header if is_in("params") => self.with_params(),
            What::Header => {
                let tables = keys().filter(|k| table(k).is_some());
                tables.map(|k| offer(&k, k.name.to_owned())).collect()
            }
            What::Key if at.path.len() == 1 && is_in("severity") => {
                self.selectors(at.start).into_iter().map(quoted).collect()
            }
            What::Key if at.path.len() == 1 && is_in("params") => self.with_params(),
            What::Key if at.path.len() == 2 && is_in("params") => self.params(&at.path),
            What::Key if at.path.is_empty() => {
                let text = |k: &schema::Key<'_>| table(k).unwrap_or_else(|| format!("{} = ", k.name));
                keys().map(|k| offer(&k, text(&k))).collect()
            }
            What::Key => keys().map(|k| offer(&k, format!("{} = ", k.name))).collect(),
            What::Value if CONFIG.is_selector(&at.path) => self.selectors(at.start).into_iter().map(quoted).collect(),
            What::Value => {
                let values = CONFIG.values(&at.path).into_iter();
                values.map(|v| quoted(Offer::new(v, CompletionItemKind::ENUM_MEMBER))).collect()
            }
        }
    }

    /// The policies that take parameters.
    fn with_params(&self) -> Vec<Offer> {
        let policies = self.policies.entries().iter().filter_map(|e| e.policy());
        policies
            .filter(|p| !p.policy.params.is_empty())
            .map(|p| Offer {
                policy: Some(p.rule.name.clone()),
                ..Offer::new(p.rule.name.as_str(), CompletionItemKind::CONSTANT).detail(p.rule.title.as_str())
            })
            .collect()
    }

    /// The parameters of the policy that a table is about, with their defaults.
    fn params(&self, path: &[Step]) -> Vec<Offer> {
        let Some(Step::Key(name)) = path.get(1) else { return Vec::new() };
        let Some(policy) = self.policies.get(name) else { return Vec::new() };
        let params = policy.policy.params.iter();
        params
            .map(|p| Offer {
                text: format!("{} = {}", p.name, literal_value(&p.default).to_json()),
                documentation: Some(p.description.clone()),
                ..Offer::new(p.name.as_str(), CompletionItemKind::PROPERTY).detail(p.kind.as_str())
            })
            .collect()
    }

    /// What fits in a policy, and whether there is more that would.
    fn in_policy(&self, at: &Context) -> (Vec<Offer>, bool) {
        let mut offers: Vec<Offer> = Vec::new();
        if at.what == What::Key {
            let keys = POLICY.keys(&at.path).into_iter().filter(|k| !at.taken.iter().any(|t| t == k.name));
            offers.extend(keys.map(|key| Offer {
                text: if key.shape == Shape::Scalar { format!("{}: ", key.name) } else { format!("{}:", key.name) },
                documentation: key.description.map(str::to_owned),
                ..Offer::new(key.name, CompletionItemKind::PROPERTY)
            }));
        }
        // The first word of an item may be a value as well.
        let is_value = at.what == What::Value || matches!(at.path.last(), Some(Step::Item(_)));
        if !is_value {
            return (offers, false);
        }
        let values = POLICY.values(&at.path).into_iter();
        offers.extend(values.map(|v| Offer::new(v, CompletionItemKind::ENUM_MEMBER)));
        let key = at.path.iter().rev().find_map(|s| match s {
            Step::Key(key) => Some(key.as_str()),
            Step::Item(_) => None,
        });
        let library = self.policies.library();
        match key {
            Some("resource" | "kind") => {
                let (kinds, cut) = self.kinds(self.typed(at.start));
                offers.extend(kinds);
                return (offers, cut);
            }
            Some("use") => offers.extend(
                library.conditions.iter().map(|(name, _)| Offer::new(name.as_str(), CompletionItemKind::FUNCTION)),
            ),
            Some("data") => {
                offers.extend(
                    library.data.iter().map(|(name, _)| Offer::new(name.as_str(), CompletionItemKind::VARIABLE)),
                );
            }
            _ => {}
        }
        (offers, false)
    }

    /// Views, and the kinds of resources that have the word under way in them.
    fn kinds(&self, typed: &str) -> (Vec<Offer>, bool) {
        let views = self.policies.library().views.iter();
        let mut offers: Vec<Offer> = views
            .map(|v| Offer {
                first: true,
                documentation: Some(v.doc.clone()),
                ..Offer::new(v.name.as_str(), CompletionItemKind::INTERFACE).detail("view")
            })
            .collect();
        let judged = self.policies.entries().iter().flat_map(|e| e.index.resource.iter().map(String::as_str));
        let mut kinds: Vec<&str> = judged.filter(|k| !k.contains('*') && k.contains(typed)).collect();
        kinds.extend(providers::kinds(|k| k.contains(typed)));
        kinds.retain(|k| !offers.iter().any(|o| o.label == *k));
        kinds.sort_unstable();
        kinds.dedup();
        let cut = kinds.len() > MOST_KINDS;
        offers.extend(kinds.into_iter().take(MOST_KINDS).map(|k| Offer::new(k, CompletionItemKind::CLASS)));
        (offers, cut)
    }
}
