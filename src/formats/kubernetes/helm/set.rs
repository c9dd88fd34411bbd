//! The values given by `--set`, `--set-string`, `--set-json` and `--set-file`: `a.b[0]=x,c={1,2}`.

use super::functions::of_json;
use super::value::{Data, MapRef, Value};
use std::rc::Rc;

/// The highest index of a list that may be set.
const MAX_INDEX: usize = 65_536;
/// How many names one key may have.
const MAX_NAMES: usize = 30;

/// How the text after `=` is read.
pub enum Reading<'a> {
    /// Whole numbers, truth values and null are what they look like.
    Typed,
    /// Always text.
    Text,
    /// JSON.
    Json,
    /// The name of a file whose text is the value.
    File(&'a dyn Fn(&str) -> Option<Value>),
}

/// Sets what a line says in a map.
pub fn set(line: &str, map: &MapRef, reading: &Reading<'_>) -> Result<(), String> {
    if matches!(reading, Reading::Json) && line.trim_start().starts_with('{') {
        let json: serde_json::Value =
            serde_json::from_str(line).map_err(|e| format!("failed parsing --set-json data JSON: {e}"))?;
        if let Some(object) = of_json(&json, 0).as_map() {
            super::values::merge_over(map, object);
        }
        return Ok(());
    }
    let mut parser = Parser { chars: line.chars().collect(), at: 0, reading };
    while parser.at < parser.chars.len() {
        parser.key(map, 0)?;
    }
    Ok(())
}

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    reading: &'a Reading<'a>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Text up to one of some signs, with escapes resolved; the sign is consumed.
    fn until(&mut self, stop: &[char]) -> (String, Option<char>) {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            if stop.contains(&c) {
                return (out, Some(c));
            }
            if c == '\\' {
                match self.peek() {
                    Some(next) => {
                        out.push(next);
                        self.at += 1;
                    }
                    None => break,
                }
            } else {
                out.push(c);
            }
        }
        (out, None)
    }

    fn key(&mut self, map: &MapRef, level: usize) -> Result<(), String> {
        let (name, sign) = self.until(&['=', '[', ',', '.']);
        match sign {
            None if name.is_empty() => Ok(()),
            None => Err(format!("key {name:?} has no value")),
            Some('[') => {
                let index = self.index()?;
                let list = match map.get(&name) {
                    None => Rc::default(),
                    Some(v) if v.is_nil() => Rc::default(),
                    Some(v) => v.as_list().cloned().ok_or_else(|| format!("unable to parse key: {name} is no list"))?,
                };
                let list = self.list_item((*list).clone(), index, level)?;
                assign(map, &name, list.into());
                Ok(())
            }
            Some('=') => {
                let value = self.value()?;
                assign(map, &name, value);
                Ok(())
            }
            Some(',') => {
                assign(map, &name, "".into());
                Err(format!("key {name:?} has no value (cannot end with ,)"))
            }
            Some(_) => {
                if level + 1 > MAX_NAMES {
                    return Err(format!(
                        "value name nested level is greater than maximum supported nested level of {MAX_NAMES}"
                    ));
                }
                let inner = match map.get(&name) {
                    None => MapRef::default(),
                    Some(v) if v.is_nil() => MapRef::default(),
                    Some(v) => v.as_map().cloned().ok_or_else(|| format!("unable to parse key: {name} is no table"))?,
                };
                let result = self.key(&inner, level + 1);
                if result.is_ok() && inner.is_empty() {
                    return Err(format!("key map {name:?} has no value"));
                }
                if !inner.is_empty() {
                    assign(map, &name, inner.into());
                }
                result
            }
        }
    }

    fn index(&mut self) -> Result<usize, String> {
        let (text, sign) = self.until(&[']']);
        if sign.is_none() {
            return Err("error parsing index: the bracket is not closed".to_owned());
        }
        let index: i64 = text.parse().map_err(|_| format!("error parsing index: {text:?} is no number"))?;
        if index < 0 {
            return Err(format!("negative {index} index not allowed"));
        }
        usize::try_from(index)
            .ok()
            .filter(|i| *i <= MAX_INDEX)
            .ok_or_else(|| format!("index of {index} is greater than maximum supported index of {MAX_INDEX}"))
    }

    fn list_item(&mut self, mut list: Vec<Value>, index: usize, level: usize) -> Result<Vec<Value>, String> {
        let (text, sign) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            return Err(format!("unexpected data at end of array index: {text:?}"));
        }
        let value = match sign {
            None => return Ok(list),
            Some('=') => self.value()?,
            Some('[') => {
                let next = self.index()?;
                let inner = match list.get(index) {
                    Some(v) if !v.is_nil() => v.as_list().cloned().ok_or("unable to parse key: the item is no list")?,
                    _ => Rc::default(),
                };
                self.list_item((*inner).clone(), next, level)?.into()
            }
            Some(_) => {
                let inner = list.get(index).and_then(|v| v.as_map().cloned()).unwrap_or_default();
                self.key(&inner, level + 1)?;
                inner.into()
            }
        };
        if list.len() <= index {
            list.resize(index + 1, Value::nil());
        }
        if let Some(slot) = list.get_mut(index) {
            *slot = value;
        }
        Ok(list)
    }

    fn value(&mut self) -> Result<Value, String> {
        if matches!(self.reading, Reading::Json) {
            return self.json();
        }
        if self.peek() == Some('{') {
            self.at += 1;
            let mut items = Vec::new();
            loop {
                let (text, sign) = self.until(&[',', '}']);
                match sign {
                    None => return Err("list must terminate with '}'".to_owned()),
                    Some('}') => {
                        if self.peek() == Some(',') {
                            self.at += 1;
                        }
                        items.push(self.read(&text)?);
                        return Ok(items.into());
                    }
                    Some(_) => items.push(self.read(&text)?),
                }
            }
        }
        let (text, _) = self.until(&[',']);
        self.read(&text)
    }

    fn json(&mut self) -> Result<Value, String> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        match self.peek() {
            None => return Ok(Value::nil()),
            Some(',') => {
                self.at += 1;
                return Ok(Value::nil());
            }
            Some(_) => {}
        }
        let rest: String = self.chars.iter().skip(self.at).collect();
        let mut stream = serde_json::Deserializer::from_str(&rest).into_iter::<serde_json::Value>();
        let json = match stream.next() {
            Some(Ok(json)) => json,
            Some(Err(e)) => return Err(format!("failed parsing JSON: {e}")),
            None => return Ok(Value::nil()),
        };
        self.at += rest.get(..stream.byte_offset()).unwrap_or("").chars().count();
        while let Some(c) = self.peek() {
            if c == ',' {
                self.at += 1;
                break;
            }
            if !c.is_whitespace() {
                break;
            }
            self.at += 1;
        }
        Ok(of_json(&json, 0))
    }

    fn read(&self, text: &str) -> Result<Value, String> {
        match self.reading {
            Reading::Text => Ok(text.into()),
            Reading::File(read) => {
                read(text).ok_or_else(|| format!("failed parsing --set-file data: open {text}: no such file"))
            }
            Reading::Typed | Reading::Json => Ok(typed(text)),
        }
    }
}

fn assign(map: &MapRef, name: &str, value: Value) {
    if !name.is_empty() {
        map.set(name, value);
    }
}

fn typed(text: &str) -> Value {
    match text.to_lowercase().as_str() {
        "true" => true.into(),
        "false" => false.into(),
        "null" => Value { data: Data::Nil, place: 0 },
        "0" => Value::int64(0),
        _ if !text.starts_with('0') => text.parse().map_or_else(|_| text.into(), Value::int64),
        _ => text.into(),
    }
}
