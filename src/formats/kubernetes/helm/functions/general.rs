//! Logic, comparison, defaults, types, templates and everything that ends a rendering.

use super::super::builtins;
use super::super::exec::{Engine, Executed, Failure};
use super::super::format::{display, sprintf, to_text};
use super::super::origin::{Builder, Text};
use super::super::value::{Data, MapRef, Value};
use super::{Row, argument, is_empty, text};

/// The table of this file.
pub const ROWS: &[Row] = &[
    // `and` and `or` are the executor's own: they evaluate only what they need.
    ("and", "aa*", |_, a| Ok(argument(a, 0))),
    ("or", "aa*", |_, a| Ok(argument(a, 0))),
    ("not", "a", |_, a| Ok((!argument(a, 0).truth()).into())),
    ("eq", "aa*", |_, a| Ok(builtins::equal(a)?.into())),
    ("ne", "aa", |_, a| Ok((!builtins::equal(a)?).into())),
    ("lt", "aa", |_, a| Ok(builtins::less(&argument(a, 0), &argument(a, 1))?.into())),
    ("le", "aa", |_, a| {
        let (x, y) = (argument(a, 0), argument(a, 1));
        Ok((builtins::less(&x, &y)? || builtins::equal(&[x, y])?).into())
    }),
    ("gt", "aa", |_, a| {
        let (x, y) = (argument(a, 0), argument(a, 1));
        Ok((!(builtins::less(&x, &y)? || builtins::equal(&[x, y])?)).into())
    }),
    ("ge", "aa", |_, a| Ok((!builtins::less(&argument(a, 0), &argument(a, 1))?).into())),
    ("len", "a", |_, a| Ok(Value::int(builtins::length(&argument(a, 0))?))),
    ("index", "aa*", |_, a| builtins::index(a)),
    ("call", "aa*", |_, _| Err("call of a value that is no function".into())),
    ("print", "a*", |_, a| Ok(print(a).into())),
    ("println", "a*", |_, a| {
        let words: Vec<String> = a.iter().map(display).collect();
        Ok(format!("{}\n", words.join(" ")).into())
    }),
    ("printf", "sa*", |_, a| {
        let (Some(format), rest) = (a.first(), a.get(1..).unwrap_or(&[])) else { return Ok(Value::nil()) };
        let Some(format_text) = format.as_text() else { return Ok(Value::nil()) };
        Ok(sprintf(format_text, format.place, rest)?.into())
    }),
    ("default", "aa*", |_, a| Ok(if a.get(1).is_none_or(is_empty) { argument(a, 0) } else { argument(a, 1) })),
    ("empty", "a", |_, a| Ok(is_empty(&argument(a, 0)).into())),
    ("coalesce", "a*", |_, a| Ok(a.iter().find(|v| !is_empty(v)).cloned().unwrap_or_else(Value::nil))),
    ("all", "a*", |_, a| Ok((!a.iter().any(is_empty)).into())),
    ("any", "a*", |_, a| Ok(a.iter().any(|v| !is_empty(v)).into())),
    ("ternary", "aab", |engine, a| {
        let chosen = argument(a, if argument(a, 2).truth() { 0 } else { 1 });
        // The choice is the condition's: a literal result came from there.
        let place = engine.place_of(&argument(a, 2));
        Ok(if chosen.as_text().is_some_and(|t| t.pieces.is_some()) { chosen } else { chosen.at(place) })
    }),
    ("typeOf", "a", |_, a| Ok(argument(a, 0).type_name().into())),
    ("typeIs", "sa", |_, a| Ok((argument(a, 1).type_name() == text(a, 0)).into())),
    ("typeIsLike", "sa", |_, a| {
        let name = argument(a, 1).type_name();
        Ok((name == text(a, 0) || name.strip_prefix('*') == Some(text(a, 0))).into())
    }),
    ("kindOf", "a", |_, a| Ok(argument(a, 0).kind_name().into())),
    ("kindIs", "sa", |_, a| Ok((argument(a, 1).kind_name() == text(a, 0)).into())),
    ("deepEqual", "aa", |_, a| Ok(argument(a, 0).deep_equal(&argument(a, 1)).into())),
    ("deepCopy", "a", |_, a| deep_copy(a)),
    ("mustDeepCopy", "a", |_, a| deep_copy(a)),
    ("hello", "", |_, _| Ok("Hello!".into())),
    ("fail", "s", |_, a| Err(Failure::new(text(a, 0).to_owned()))),
    ("required", "sa", |engine, a| {
        let value = argument(a, 1);
        if value.is_nil() || value.as_str() == Some("") {
            if engine.lenient {
                let place = engine.unknown(&format!("a value that the user must give: {}", text(a, 0)));
                return Ok(Value::from("required").at(place));
            }
            return Err(Failure::new(text(a, 0).to_owned()));
        }
        Ok(value)
    }),
    ("include", "sa", |engine, a| Ok(engine.include(text(a, 0), &argument(a, 1))?.into())),
    ("tpl", "sm", |engine, a| {
        let template = argument(a, 0);
        let Some(body) = template.as_text() else { return Ok("".into()) };
        Ok(engine.tpl(body, template.place, &argument(a, 1))?.into())
    }),
    // Without a cluster nothing is found.
    ("lookup", "ssss", |_, _| Ok(MapRef::default().into())),
    ("getHostByName", "s", |_, _| Ok("".into())),
    // What is made anew on each run: a stand-in of the right shape, and a note that it is not known.
    ("randAlphaNum", "i", |e, a| random(e, a, "randAlphaNum")),
    ("randAlpha", "i", |e, a| random(e, a, "randAlpha")),
    ("randAscii", "i", |e, a| random(e, a, "randAscii")),
    ("randNumeric", "i", |e, a| {
        let place = e.unknown("randNumeric gives another value on each run");
        Ok(Value::from("0".repeat(length(a)?)).at(place))
    }),
    ("randBytes", "i", |e, a| random(e, a, "randBytes")),
    ("randInt", "ii", |e, a| {
        let place = e.unknown("randInt gives another value on each run");
        Ok(argument(a, 0).at(place))
    }),
    ("shuffle", "s", |e, a| {
        let place = e.unknown("shuffle gives another value on each run");
        Ok(Value::from(text(a, 0)).at(place))
    }),
    ("uuidv4", "", |e, _| {
        let place = e.unknown("uuidv4 gives another value on each run");
        Ok(Value::from("00000000-0000-4000-8000-000000000000").at(place))
    }),
    ("bcrypt", "s", |e, _| secret(e, "bcrypt", "$2a$10$")),
    ("htpasswd", "ss", |e, a| {
        let user = text(a, 0).to_owned();
        secret(e, "htpasswd", &format!("{user}:$2a$10$"))
    }),
    ("derivePassword", "issss", |e, _| secret(e, "derivePassword", "derived")),
    ("genPrivateKey", "s", |e, _| {
        secret(e, "genPrivateKey", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
    }),
    ("buildCustomCert", "ss", |_, a| {
        let map = MapRef::default();
        map.set("Cert", super::encode::decode_base64(text(a, 0)).into());
        map.set("Key", super::encode::decode_base64(text(a, 1)).into());
        Ok(map.into())
    }),
    ("genCA", "si", |e, _| certificate(e, "genCA")),
    ("genCAWithKey", "sis", |e, _| certificate(e, "genCAWithKey")),
    ("genSelfSignedCert", "slli", |e, _| certificate(e, "genSelfSignedCert")),
    ("genSelfSignedCertWithKey", "sllis", |e, _| certificate(e, "genSelfSignedCertWithKey")),
    ("genSignedCert", "sllia", |e, _| certificate(e, "genSignedCert")),
    ("genSignedCertWithKey", "sllias", |e, _| certificate(e, "genSignedCertWithKey")),
    ("encryptAES", "ss", |e, _| secret(e, "encryptAES", "encrypted")),
    ("decryptAES", "ss", |e, _| secret(e, "decryptAES", "decrypted")),
];

/// `print`: a space stands between two operands where neither is a string.
/// Go's `fmt.Sprint`: a space between two of which neither is a text.
pub fn print(arguments: &[Value]) -> Text {
    let mut out = Builder::default();
    let mut last_was_text = true;
    for (i, value) in arguments.iter().enumerate() {
        let is_text = value.as_text().is_some();
        if i > 0 && !is_text && !last_was_text {
            out.push(" ", 0);
        }
        out.push_all(&to_text(value), value.place);
        last_was_text = is_text;
    }
    out.finish()
}

fn deep_copy(arguments: &[Value]) -> Executed<Value> {
    let value = argument(arguments, 0);
    if value.is_nil() {
        return Err("reflect: call of a method on a zero Value".into());
    }
    Ok(value.deep_copy())
}

fn length(arguments: &[Value]) -> Executed<usize> {
    usize::try_from(super::number(arguments, 0))
        .ok()
        .filter(|n| *n <= 1 << 20)
        .ok_or_else(|| "the length is out of range".into())
}

fn random(engine: &mut Engine, arguments: &[Value], name: &str) -> Executed<Value> {
    let length = length(arguments)?;
    let place = engine.unknown(&format!("{name} gives another value on each run"));
    Ok(Value::from("x".repeat(length)).at(place))
}

fn secret(engine: &mut Engine, name: &str, shape: &str) -> Executed<Value> {
    let place = engine.unknown(&format!("{name} makes a value that is not known before the chart is installed"));
    Ok(Value::from(shape).at(place))
}

fn certificate(engine: &mut Engine, name: &str) -> Executed<Value> {
    let place = engine.unknown(&format!("{name} makes a certificate that is not known before the chart is installed"));
    let map = MapRef::default();
    let pem = |kind: &str| Value::from(format!("-----BEGIN {kind}-----\n-----END {kind}-----\n")).at(place);
    map.set("Cert", pem("CERTIFICATE"));
    map.set("Key", pem("PRIVATE KEY"));
    Ok(Value { data: Data::Map(map), place })
}
