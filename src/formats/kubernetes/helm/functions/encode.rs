//! Hashes, base64 and base32, JSON, YAML, TOML.

use super::super::exec::{Engine, Executed, Failure};
use super::super::value::{Data, MapRef, Value};
use super::super::{origin::Place, yaml};
use super::{Row, argument, text, toml};
use data_encoding::{BASE32, BASE64, HEXLOWER};
use sha1::Digest;

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("sha1sum", "s", |_, a| Ok(HEXLOWER.encode(&sha1::Sha1::digest(text(a, 0).as_bytes())).into())),
    ("sha256sum", "s", |_, a| Ok(HEXLOWER.encode(&sha2::Sha256::digest(text(a, 0).as_bytes())).into())),
    ("sha512sum", "s", |_, a| Ok(HEXLOWER.encode(&sha2::Sha512::digest(text(a, 0).as_bytes())).into())),
    ("adler32sum", "s", |_, a| Ok(adler32(text(a, 0).as_bytes()).to_string().into())),
    ("b64enc", "s", |_, a| Ok(BASE64.encode(text(a, 0).as_bytes()).into())),
    ("b64dec", "s", |_, a| Ok(decode_base64(text(a, 0)).into())),
    ("b32enc", "s", |_, a| Ok(BASE32.encode(text(a, 0).as_bytes()).into())),
    ("b32dec", "s", |_, a| {
        let plain = text(a, 0).replace(['\n', '\r'], "");
        Ok(match BASE32.decode(plain.as_bytes()) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) => format!("illegal base32 data at input byte {}", e.position),
        }
        .into())
    }),
    ("toJson", "a", |_, a| Ok(yaml::to_json(&argument(a, 0), true, None).map_or_else(|| "".into(), Value::from))),
    ("mustToJson", "a", |_, a| must(yaml::to_json(&argument(a, 0), true, None).map(Value::from))),
    ("toPrettyJson", "a", |_, a| {
        Ok(yaml::to_json(&argument(a, 0), true, Some("  ")).map_or_else(|| "".into(), Value::from))
    }),
    ("mustToPrettyJson", "a", |_, a| must(yaml::to_json(&argument(a, 0), true, Some("  ")).map(Value::from))),
    ("toRawJson", "a", |_, a| must(yaml::to_json(&argument(a, 0), false, None).map(Value::from))),
    ("mustToRawJson", "a", |_, a| must(yaml::to_json(&argument(a, 0), false, None).map(Value::from))),
    ("toYaml", "a", |_, a| Ok(yaml::to_yaml(&argument(a, 0)).into())),
    ("mustToYaml", "a", |_, a| Ok(yaml::to_yaml(&argument(a, 0)).into())),
    ("toYamlPretty", "a", |_, a| Ok(yaml::to_yaml_pretty(&argument(a, 0)).into())),
    ("toToml", "a", |_, a| Ok(toml::encode(some(a)?).unwrap_or_else(|e| e).into())),
    ("mustToToml", "a", |_, a| Ok(toml::encode(some(a)?).map_err(Failure::new)?.into())),
    ("fromJson", "s", |e, a| Ok(map_or_error(from_json(e, a), ""))),
    ("mustFromJson", "s", |e, a| from_json(e, a).map_err(Failure::new)),
    ("fromJsonArray", "s", |e, a| Ok(list_or_error(from_json(e, a), ""))),
    ("fromYaml", "s", |e, a| Ok(map_or_error(from_yaml(e, a), OF_YAML))),
    ("fromYamlArray", "s", |e, a| Ok(list_or_error(from_yaml(e, a), OF_YAML))),
    ("fromToml", "s", |e, a| {
        let place = e.place_of(&argument(a, 0));
        Ok(map_or_error(toml::decode(text(a, 0), place), ""))
    }),
];

/// What an error of YAML begins with.
const OF_YAML: &str = "error unmarshaling JSON: while decoding JSON: ";

fn must(value: Option<Value>) -> Executed<Value> {
    value.ok_or_else(|| Failure::new("json: unsupported value"))
}

/// The first argument, which must not be nil: Go's reflection stops there.
fn some(arguments: &[Value]) -> Executed<&Value> {
    arguments
        .first()
        .filter(|value| !value.is_nil())
        .ok_or_else(|| "reflect: call of reflect.Value.Type on zero Value".into())
}

/// Base64 to text; an error is the result, as in sprig.
pub fn decode_base64(s: &str) -> String {
    let plain = s.replace(['\n', '\r'], "");
    match BASE64.decode(plain.as_bytes()) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) => {
            // Go names the first byte that cannot be, this library the group of four that it stands in.
            let wrong = s.bytes().position(|b| !(b.is_ascii_alphanumeric() || b"+/=\r\n".contains(&b)));
            format!("illegal base64 data at input byte {}", wrong.unwrap_or(e.position))
        }
    }
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    (b << 16) | a
}

fn from_yaml(engine: &mut Engine, a: &[Value]) -> Result<Value, String> {
    let value = argument(a, 0);
    match value.as_text() {
        Some(text) => yaml::from_text(text, value.place, &engine.places),
        None => Ok(Value::nil()),
    }
}

fn from_json(engine: &mut Engine, a: &[Value]) -> Result<Value, String> {
    let place = engine.place_of(&argument(a, 0));
    let json: serde_json::Value = serde_json::from_str(text(a, 0)).map_err(|e| json_error(text(a, 0), &e))?;
    Ok(of_json(&json, place))
}

fn json_error(s: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let c = s.trim_start().chars().next().unwrap_or(' ');
    if error.column() <= 1 {
        return format!("invalid character '{c}' looking for beginning of value");
    }
    error.to_string()
}

/// A JSON value; every number is a float.
pub fn of_json(json: &serde_json::Value, place: Place) -> Value {
    let data = match json {
        serde_json::Value::Null => Data::Nil,
        serde_json::Value::Bool(b) => Data::Bool(*b),
        serde_json::Value::Number(n) => Data::Float(n.as_f64().unwrap_or(0.0)),
        serde_json::Value::String(s) => Data::String(s.as_str().into()),
        serde_json::Value::Array(items) => {
            return Value { place, ..items.iter().map(|v| of_json(v, place)).collect::<Vec<_>>().into() };
        }
        serde_json::Value::Object(object) => {
            Data::Map(object.iter().map(|(k, v)| (k.as_str().into(), of_json(v, place))).collect())
        }
    };
    Value { data, place }
}

/// A dictionary; what went wrong is its key `Error`.
fn map_or_error(result: Result<Value, String>, prefix: &str) -> Value {
    let error = match result {
        Ok(value) if value.as_map().is_some() => return value,
        Ok(value) if value.is_nil() => return Value { place: value.place, ..MapRef::default().into() },
        Ok(value) => format!(
            "{prefix}json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            json_kind(&value)
        ),
        Err(error) => error,
    };
    let map = MapRef::default();
    map.set("Error", error.into());
    map.into()
}

fn list_or_error(result: Result<Value, String>, prefix: &str) -> Value {
    match result {
        Ok(value) if value.as_list().is_some() => value,
        Ok(value) if value.is_nil() => Vec::new().into(),
        Ok(value) => vec![Value::from(format!(
            "{prefix}json: cannot unmarshal {} into Go value of type []interface {{}}",
            json_kind(&value)
        ))]
        .into(),
        Err(error) => vec![Value::from(error)].into(),
    }
}

/// What JSON calls the value.
pub fn json_kind(value: &Value) -> &'static str {
    match &value.data {
        Data::Missing | Data::Nil => "null",
        Data::Bool(_) => "bool",
        Data::Int(..) | Data::Float(_) => "number",
        Data::String(_) => "string",
        Data::List(..) => "array",
        Data::Map(_) | Data::Object(_) => "object",
    }
}
