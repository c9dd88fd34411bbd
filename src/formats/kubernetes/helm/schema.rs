//! Values held against a chart's `values.schema.json`.

use super::chart::{Chart, Problem};
use super::value::{MapRef, Value};
use super::yaml::to_json;
use crate::base::Span;
use boon::{Compiler, Schemas, UrlLoader};
use std::error::Error;

/// Refuses every reference that leaves the schema: nothing is fetched.
struct Closed;

impl UrlLoader for Closed {
    fn load(&self, url: &str) -> Result<serde_json::Value, Box<dyn Error>> {
        Err(format!("{url} lies outside of the chart").into())
    }
}

/// Notes what the schemas of a chart and of those below it refuse. `warnings` takes what could not be checked.
pub fn validate(chart: &Chart, values: &MapRef, problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    if let Some(schema) = &chart.schema {
        let span = Span::at(schema.id, 0);
        match serde_json::from_str::<serde_json::Value>(&schema.text) {
            Err(e) => {
                problems.push(Problem::new(span, format!("values.schema.json of {} is no JSON: {e}", chart.name)))
            }
            Ok(json) => match check(json, values) {
                Ok(()) => {}
                Err(Refusal::Values(words)) => problems.push(Problem::new(
                    span,
                    format!("values don't meet the specifications of the schema of chart {}: {words}", chart.name),
                )),
                Err(Refusal::Outside(words)) => warnings.push(Problem::new(
                    span,
                    format!("the values of {} were not held against their schema: {words}", chart.name),
                )),
                Err(Refusal::Schema(words)) => {
                    problems
                        .push(Problem::new(span, format!("the schema of chart {} is invalid: {words}", chart.name)));
                }
            },
        }
    }
    for child in &chart.charts {
        if let Some(inner) = values.get(&child.name).and_then(|v| v.as_map().cloned()) {
            validate(child, &inner, problems, warnings);
        }
    }
}

enum Refusal {
    Values(String),
    Outside(String),
    Schema(String),
}

fn check(schema: serde_json::Value, values: &MapRef) -> Result<(), Refusal> {
    const URL: &str = "file:///values.schema.json";
    let text = to_json(&Value::from(values.clone()), false, None).map(|t| t.s.to_string()).unwrap_or_default();
    let instance: serde_json::Value = serde_json::from_str(&text).map_err(|e| Refusal::Values(e.to_string()))?;
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(Closed));
    let schema_error = |e: boon::CompileError| {
        let words = format!("{e:#}").replace('\n', " ");
        if words.contains("lies outside of the chart") { Refusal::Outside(words) } else { Refusal::Schema(words) }
    };
    compiler.add_resource(URL, schema).map_err(schema_error)?;
    let mut schemas = Schemas::new();
    let index = compiler.compile(URL, &mut schemas).map_err(schema_error)?;
    schemas.validate(&instance, index).map_err(|e| {
        let lines: Vec<String> = e.causes.iter().map(|c| format!("at '{}': {}", c.instance_location, c.kind)).collect();
        Refusal::Values(if lines.is_empty() { e.kind.to_string() } else { lines.join("; ") })
    })
}
