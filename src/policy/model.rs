//! A compiled policy: plain data that the build writes into the binary and the evaluator reads.
//!
//! Nothing here needs more than serde, because the build script includes this file too. What cannot be stored, such as
//! a regular expression, is an index into a table of its source text and is built when it is first used.

use crate::diagnostic::{Rule, Safety, Severity};
use serde::{Deserialize, Serialize};

/// A policy, whole but for its examples.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// What reporters show of it.
    pub rule: Rule,
    /// Whether it runs without being selected by name.
    pub enabled: bool,
    /// Aliases of what the peer itself runs only when asked: the id selects the policy, a pattern such as `hadolint:*` does not.
    pub on_request: Vec<String>,
    /// The kinds and views it judges; `*` and `?` are globs.
    pub resource: Vec<String>,
    /// Narrows what is judged.
    pub guard: Option<Condition>,
    /// The nodes that `deny` is judged for, one finding each.
    pub for_each: Option<Path>,
    /// The name of that node, for conditions that open further scopes.
    pub node_name: Option<String>,
    /// A finding where this holds.
    pub deny: Condition,
    /// Where the finding points, if not at what made `deny` true.
    pub at: Option<Path>,
    /// What a configuration may set.
    pub params: Vec<Param>,
    /// The words of a finding.
    pub message: Template,
    /// How to mend it.
    pub fix: Option<FixPlan>,
    /// What its conditions refer to by number.
    pub pool: Pool,
}

/// Values and patterns that conditions refer to by number, so that each is built once.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Pool {
    /// Operands that are written in the policy.
    pub literals: Vec<Literal>,
    /// Regular expressions, as written; checked by the compiler.
    pub patterns: Vec<String>,
}

/// A value as written in a policy.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    List(Vec<Literal>),
    Map(Vec<(String, Literal)>),
}

/// A parameter.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: ValueType,
    /// Its value where the configuration says nothing.
    pub default: Literal,
    /// What it is for.
    pub description: String,
}

/// The types that a value or a parameter can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum ValueType {
    String,
    Number,
    Bool,
    List,
    Map,
}

impl ValueType {
    /// Every type with its word.
    pub const ALL: [(&'static str, ValueType); 5] = [
        ("string", ValueType::String),
        ("number", ValueType::Number),
        ("bool", ValueType::Bool),
        ("list", ValueType::List),
        ("map", ValueType::Map),
    ];

    /// The word used in policies.
    pub fn as_str(self) -> &'static str {
        ValueType::ALL.iter().find(|(_, t)| *t == self).map_or("", |(word, _)| word)
    }
}

/// A compiled path: where it starts and the steps from there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// The steps.
    pub steps: Vec<Step>,
    /// As written, for messages and proofs.
    pub text: String,
}

/// Where a path starts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Root {
    /// `$`: the resource being looked at, which inside `related` is the other one.
    Resource,
    /// `@`: the innermost node.
    Node,
    /// `@root`: the resource that the policy judges.
    Judged,
    /// `@name`: the node or resource of that name.
    Named(String),
}

/// A step of a path.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Step {
    /// The entry of a map; on a list, of each element.
    Name(String),
    /// Each of several entries.
    Names(Vec<String>),
    /// An element; from the end where negative.
    Index(i64),
    /// Elements from, to (exclusive), by.
    Slice(Option<i64>, Option<i64>, i64),
    /// Every element of a list, every value of a map.
    All,
    /// The value itself and everything inside it: `..` before another step.
    Descend,
    /// The elements of which a condition holds, with the element as `@`.
    Filter(Box<Condition>),
    /// What a string of JSON or YAML holds.
    Json,
    /// The names of a map.
    Keys,
    /// The parts of a string between separators: all that are not empty, or the one at this place.
    Split(String, Option<u16>),
    /// A number with a unit, as Kubernetes writes quantities, as a plain number.
    Quantity,
    /// The elements of a list, and anything else as it is: behind the name that ends the path of a `for_each`.
    Elements,
}

impl Path {
    /// The path as a `for_each` walks it. A name reads every element of a list wherever it stands in a path, so a path
    /// that ends in one leads to the elements too: `$.ingress` is each `ingress` block, not the list of them.
    #[must_use]
    pub fn into_elements(mut self) -> Self {
        if matches!(self.steps.last(), Some(Step::Name(_) | Step::Names(_))) {
            self.steps.push(Step::Elements);
        }
        self
    }
}

/// A condition: true, false or unknown of a resource and the nodes in scope.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Condition {
    /// Always true or false.
    Constant(bool),
    /// All parts hold.
    All(Vec<Condition>),
    /// A part holds.
    Any(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// Something about the nodes of a path.
    Test(Test),
    /// The resource is of one of these kinds.
    Kind(Vec<String>),
    /// A condition on each node of a path.
    ForEach {
        /// The nodes.
        path: Path,
        /// The name of the node, where it has one.
        name: Option<String>,
        /// How many must satisfy what.
        quantified: Box<Quantified>,
    },
    /// A condition on the neighbours in the graph.
    Related(Related),
    /// A condition on the resources of the whole unit or graph.
    Resources {
        /// The kinds and views.
        kind: Vec<String>,
        /// Whether those of the whole graph count, or those of the unit.
        whole_graph: bool,
        /// The name of the resource, where it has one.
        name: Option<String>,
        /// How many must satisfy what.
        quantified: Box<Quantified>,
    },
    /// A range of ports read from two attributes.
    PortRange {
        /// The first port.
        from: Path,
        /// The last port.
        to: Path,
        /// What is asked of the range.
        ports: Ports,
    },
}

/// How many of several things must satisfy a condition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Quantified {
    /// Some, every, none.
    pub quantifier: Quantifier,
    /// With `some`: at least so many.
    pub at_least: Option<u32>,
    /// With `some`: at most so many.
    pub at_most: Option<u32>,
    /// What they must satisfy.
    pub condition: Condition,
}

/// Some, every or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Quantifier {
    /// At least one.
    Some,
    /// All there are; in a test on a path, and at least one.
    Every,
    /// Not one.
    None,
}

/// A hop over the edges of the graph.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Related {
    /// The kinds and views on the other side.
    pub kind: Vec<String>,
    /// The relations that count; empty: any.
    pub through: Vec<String>,
    /// Which way.
    pub direction: Direction,
    /// The name of the other resource, where it has one.
    pub name: Option<String>,
    /// How many must satisfy what.
    pub quantified: Box<Quantified>,
}

/// Which way an edge is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Direction {
    /// They refer to this.
    In,
    /// This refers to them.
    Out,
    /// Both.
    Either,
}

/// Checks on the nodes of a path.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Test {
    /// The nodes.
    pub path: Path,
    /// What must hold of one and the same node.
    pub checks: Vec<Check>,
    /// What stands in where the path selects nothing.
    pub default: Option<Operand>,
    /// Of how many nodes it must hold.
    pub quantifier: Quantifier,
    /// Whether strings compare without regard to case.
    pub ignore_case: bool,
}

/// One check on one node. The `bool` of a variant says what the answer must be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Check {
    /// Is there and not null.
    Exists(bool),
    /// Absent, null or without content.
    Empty(bool),
    /// Is true.
    True(bool),
    /// Is false.
    False(bool),
    /// Equals the operand.
    Equals(Operand, bool),
    /// Is one of the operand's elements.
    In(Operand, bool),
    /// Contains a match of one of these patterns (numbers in the pool).
    Matches(Vec<u16>, bool),
    /// Contains a match of a pattern that is not written in the policy.
    MatchesOperand(Operand, bool),
    /// Begins with the operand or one of its elements.
    StartsWith(Operand),
    /// Ends with the operand or one of its elements.
    EndsWith(Operand),
    /// A string has the text, a list the element, a map the key.
    Contains(Operand, bool),
    /// Contains one of the operand's elements.
    ContainsAny(Operand),
    /// Contains all of the operand's elements.
    ContainsAll(Operand),
    /// Every element is one of the operand's.
    SubsetOf(Operand),
    /// Every element of the operand is there.
    SupersetOf(Operand),
    /// An element is one of the operand's.
    Intersects(Operand),
    /// A label selector that selects what has the operand's labels.
    SelectsLabels(Operand),
    /// A number compared with the operand.
    Number(Comparison, Operand),
    /// The length satisfies these checks.
    Length(Vec<Check>),
    /// A version within a range.
    Version(Operand),
    /// An address or block.
    Cidr(Vec<CidrCheck>),
    /// A port, a range or a list of them.
    Ports(Ports),
    /// Is of one of these types.
    Type(Vec<ValueType>),
    /// Looks like a credential.
    Secret(SecretKind, bool),
    /// Is written where it stands.
    Written(bool),
    /// Refers to a resource of one of these kinds.
    ResolvesTo(Vec<String>),
}

/// What tells that a text is a credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SecretKind {
    /// Either of the two.
    Any,
    /// Its own form: a known kind of key or token.
    Key,
    /// Its name alone: a password, a token of no known form.
    Named,
}

/// How two numbers compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What is asked of an address or block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum CidrCheck {
    /// The whole internet.
    Any(bool),
    /// Not wholly inside private or reserved space.
    Public(bool),
    /// Covers one of these addresses or blocks.
    Contains(Operand),
    /// Lies inside one of these blocks.
    Within(Operand),
    /// Shares an address with one of these blocks.
    Overlaps(Operand),
    /// Its prefix is shorter than this.
    LargerThan(Operand),
}

/// What is asked of ports.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ports {
    /// One of these ports or ranges is among them.
    pub includes: Option<Operand>,
    /// They are every port.
    pub any: Option<bool>,
    /// One range of them has more ports than this.
    pub more_than: Option<Operand>,
}

/// What a node is compared with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Operand {
    /// A number in the pool.
    Literal(u16),
    /// A parameter of the policy.
    Param(String),
    /// The first node of a path.
    Path(Path),
    /// A table of `policies/data`, or an entry of it.
    Data(String, Option<String>),
}

/// Text with places to fill in.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Template(pub Vec<Piece>);

/// A piece of a template.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// The address of the resource.
    Resource,
    /// Its kind.
    Kind,
    /// Its name.
    Name,
    /// The value at the primary place.
    Value,
    /// The address of the resource that a `related` found.
    Related,
    /// A parameter.
    Param(String),
    /// The first node of a path.
    Path(Path),
}

/// How to mend a finding.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FixPlan {
    /// What it does, in the imperative; made from the actions where the policy says nothing.
    pub title: Option<Template>,
    /// Whether it may be applied unseen.
    pub safety: Safety,
    /// What is done, all together.
    pub actions: Vec<FixAction>,
}

impl FixPlan {
    /// Whether it takes something away.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, FixAction::Remove(_)))
    }
}

/// One action of a fix.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum FixAction {
    /// Sets the value of a path, inserting what is absent.
    Set {
        /// The place.
        path: Path,
        /// The value.
        to: Operand,
        /// Whether the names on the way, but for the last, are nested blocks.
        block: bool,
    },
    /// Removes what a path selects.
    Remove(Path),
    /// Rewrites a part of the value's text.
    Replace {
        /// The value.
        path: Path,
        /// A number in the pool.
        pattern: u16,
        /// What comes in its place; `$1` is the first group.
        with: String,
    },
    /// A new line beside what a path selects.
    Insert {
        /// The text, without its line break.
        text: Template,
        /// Before it, or after.
        before: bool,
        /// What it stands beside.
        path: Path,
    },
}

/// The examples of a policy, kept apart from it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Examples {
    /// Each must give a finding.
    pub bad: Vec<Example>,
    /// None may give a finding.
    pub good: Vec<Example>,
}

/// One example.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Example {
    /// Paths and texts.
    pub files: Vec<(String, String)>,
    /// Parameters.
    pub params: Vec<(String, Literal)>,
    /// The lines that the findings start on; empty: any.
    pub lines: Vec<u32>,
    /// Whether the result must be unknown.
    pub unknown: bool,
    /// What it shows.
    pub note: String,
    /// Where it stands in the policy's file: line and column, from 1.
    pub place: (u32, u32),
}

/// What is needed to choose policies without decoding them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IndexEntry {
    /// [`Rule::name`].
    pub name: String,
    /// [`Rule::severity`].
    pub severity: Severity,
    /// [`Rule::category`].
    pub category: crate::diagnostic::Category,
    /// [`Policy::enabled`].
    pub enabled: bool,
    /// [`Policy::on_request`].
    pub on_request: Vec<String>,
    /// [`Policy::resource`].
    pub resource: Vec<String>,
    /// [`Rule::aliases`].
    pub aliases: Vec<String>,
    /// [`Rule::tags`].
    pub tags: Vec<String>,
    /// Where the policy lies in the table: first byte and length.
    pub policy: (u32, u32),
    /// Where its examples lie.
    pub examples: (u32, u32),
    /// The policy's file, relative to the folder of policies.
    pub file: String,
}

/// A view: a derived kind that gives one shape to what many kinds say.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct View {
    /// Its name, the kind of its nodes.
    pub name: String,
    /// What it is and what its fields mean.
    pub doc: String,
    /// What it is made from.
    pub sources: Vec<ViewSource>,
}

/// One way in which the nodes of a view are made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ViewSource {
    /// The kinds and views.
    pub resource: Vec<String>,
    /// Narrows them; with the node as `@`.
    pub guard: Option<Condition>,
    /// One node each; absent: one for the resource.
    pub for_each: Option<Path>,
    /// What names the node.
    pub name: Option<Field>,
    /// Nodes whose fields are all taken over.
    pub spread: Vec<Path>,
    /// The fields.
    pub fields: Vec<(String, Field)>,
    /// An algorithm that makes the nodes out of these documents.
    pub lens: Option<(String, Vec<Path>)>,
    /// What its conditions refer to.
    pub pool: Pool,
}

/// How a field of a view gets its value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Field {
    /// A number in the pool.
    Literal(u16),
    /// The first node of the first path that has one, or else a default.
    First(Vec<Path>, Option<u16>),
    /// All nodes of these paths, as a list.
    List(Vec<Path>),
    /// A field's value looked up in a table, regardless of case; what is not in it stays as it is.
    Translate(Box<Field>, Vec<(String, u16)>),
    /// The field of the first case whose condition holds.
    Case(Vec<(Condition, Field)>),
    /// `from-to`, out of two numbers.
    Range(Path, Path),
    /// Fields of a map.
    Map(Vec<(String, Field)>),
}

/// A view, a shared table or condition of the language as it lies in the binary.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Library {
    /// The views, those first that others are made from.
    pub views: Vec<View>,
    /// The tables of `policies/data`, by name.
    pub data: Vec<(String, Literal)>,
    /// The texts of `policies/conditions`, by name, so that users' policies can refer to them too.
    pub conditions: Vec<(String, String)>,
}
