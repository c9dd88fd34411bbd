//! Values out of plain data; and, in tests, our values as jsonpath-rust sees them, which the walker of policy paths is held against.

use super::{Data, Map, Number, Value};
use crate::base::Span;
use std::sync::Arc;

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::string(text, Span::NONE)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::string(text, Span::NONE)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::bool(b, Span::NONE)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::int(n, Span::NONE)
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Value {
        Value::literal(Data::Number(Number::from(n)), Span::NONE)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::list(items, Span::NONE)
    }
}

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Value {
        let data = match json {
            serde_json::Value::Null => Data::Null,
            serde_json::Value::Bool(b) => Data::Bool(*b),
            serde_json::Value::Number(n) => {
                Data::Number(n.as_i64().map_or_else(|| Number::from(n.as_f64().unwrap_or(0.0)), Number::from))
            }
            serde_json::Value::String(s) => Data::String(s.as_str().into()),
            serde_json::Value::Array(items) => Data::List(Arc::new(items.iter().map(Value::from).collect())),
            serde_json::Value::Object(object) => {
                let mut map = Map::default();
                for (key, value) in object {
                    map.insert(key.as_str(), Span::NONE, Value::from(value));
                }
                Data::Map(Arc::new(map))
            }
        };
        Value::literal(data, Span::NONE)
    }
}

#[cfg(test)]
impl jsonpath_rust::query::queryable::Queryable for Value {
    fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    fn as_array(&self) -> Option<&Vec<Value>> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    fn as_object(&self) -> Option<Vec<(&str, &Value)>> {
        Some(self.as_map()?.entries.iter().map(|e| (&*e.key, &e.value)).collect())
    }

    fn as_str(&self) -> Option<&str> {
        Value::as_str(self)
    }

    fn as_i64(&self) -> Option<i64> {
        match &self.data {
            Data::Number(n) => n.to_i64(),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match &self.data {
            Data::Number(n) => Some(n.to_f64()),
            _ => None,
        }
    }

    fn as_bool(&self) -> Option<bool> {
        Value::as_bool(self)
    }

    fn null() -> Value {
        Value::default()
    }
}
