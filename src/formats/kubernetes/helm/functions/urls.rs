//! Paths and URLs.

use super::super::exec::{Executed, Failure};
use super::super::value::{MapRef, Value};
use super::{Row, argument, printed, text};
use crate::formats::golang::clean_path;

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("base", "s", |_, a| Ok(base(text(a, 0)).into())),
    ("dir", "s", |_, a| Ok(dir(text(a, 0)).into())),
    ("clean", "s", |_, a| Ok(clean_path(text(a, 0)).into())),
    ("ext", "s", |_, a| Ok(ext(text(a, 0)).into())),
    ("isAbs", "s", |_, a| Ok(text(a, 0).starts_with('/').into())),
    ("osBase", "s", |_, a| Ok(base(text(a, 0)).into())),
    ("osDir", "s", |_, a| Ok(dir(text(a, 0)).into())),
    ("osClean", "s", |_, a| Ok(clean_path(text(a, 0)).into())),
    ("osExt", "s", |_, a| Ok(ext(text(a, 0)).into())),
    ("osIsAbs", "s", |_, a| Ok(text(a, 0).starts_with('/').into())),
    ("urlquery", "a*", |_, a| Ok(query_escape(&printed(a)).into())),
    ("urlParse", "s", |e, a| {
        let place = e.place_of(&argument(a, 0));
        parse(text(a, 0)).map(|parts| {
            Value::from(parts.into_iter().map(|(k, v)| (k.into(), Value::from(v).at(place))).collect::<MapRef>())
        })
    }),
    ("urlJoin", "m", |_, a| join(&argument(a, 0))),
];

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) }
}

fn dir(path: &str) -> String {
    clean_path(path.rfind('/').map_or("", |i| path.get(..=i).unwrap_or("")))
}

fn ext(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or("");
    name.rfind('.').and_then(|i| name.get(i..)).unwrap_or("")
}

fn query_escape(s: &str) -> String {
    escape(s, |b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)).replace("%20", "+")
}

fn escape(s: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::new();
    for b in s.bytes() {
        if keep(b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

fn unescape(s: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = s.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let hex = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).ok()
}

fn parse(s: &str) -> Executed<Vec<(&'static str, String)>> {
    let bad = |why: &str| Failure::new(format!("unable to parse url: parse {s:?}: {why}"));
    if s.chars().any(|c| c.is_ascii_control()) {
        return Err(bad("net/url: invalid control character in URL"));
    }
    let (rest, fragment) = s.split_once('#').unwrap_or((s, ""));
    let colon = rest.find(':').filter(|&i| {
        i > 0
            && rest.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && rest.bytes().take(i).all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    });
    if rest.starts_with(':') {
        return Err(bad("missing protocol scheme"));
    }
    let (scheme, rest) = match colon {
        Some(i) => (rest.get(..i).unwrap_or("").to_ascii_lowercase(), rest.get(i + 1..).unwrap_or("")),
        None => (String::new(), rest),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut opaque = String::new();
    let (mut host, mut userinfo, mut path) = (String::new(), String::new(), rest.to_owned());
    if !rest.starts_with('/') && !scheme.is_empty() {
        opaque = rest.to_owned();
        path = String::new();
    } else if !rest.starts_with('/') && rest.split('/').next().is_some_and(|p| p.contains(':')) {
        return Err(bad("first path segment in URL cannot contain colon"));
    } else if let Some(authority) = rest.strip_prefix("//") {
        let end = authority.find('/').unwrap_or(authority.len());
        let (whole, tail) = authority.split_at(end);
        path = tail.to_owned();
        let (user, h) = whole.rsplit_once('@').unwrap_or(("", whole));
        userinfo = user.to_owned();
        host = h.to_owned();
        if let Some(c) = host
            .chars()
            .find(|c| c.is_ascii() && !(c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:[]<>\"%".contains(*c)))
        {
            return Err(bad(&format!("invalid character {:?} in host name", c.to_string())));
        }
        if let Some((_, port)) = host.rsplit_once(':').filter(|(_, p)| !p.contains(']'))
            && !port.bytes().all(|b| b.is_ascii_digit())
        {
            return Err(bad(&format!("invalid port {:?} after host", format!(":{port}"))));
        }
    }
    let path = unescape(&path).ok_or_else(|| bad("invalid URL escape"))?;
    let hostname = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((inner, _)) => inner.to_owned(),
        None => host.split(':').next().unwrap_or("").to_owned(),
    };
    Ok(vec![
        ("scheme", scheme),
        ("host", host),
        ("hostname", hostname),
        ("path", path),
        ("query", query.to_owned()),
        ("opaque", opaque),
        ("fragment", unescape(fragment).unwrap_or_else(|| fragment.to_owned())),
        ("userinfo", userinfo),
    ])
}

fn join(dict: &Value) -> Executed<Value> {
    let get = |key: &str| -> Executed<String> {
        match dict.as_map().and_then(|m| m.get(key)) {
            None => Ok(String::new()),
            Some(v) => match v.as_str() {
                Some(s) => Ok(s.to_owned()),
                None => {
                    Err(format!("unable to parse {key} key, must be of type string, but {} found", v.kind_name())
                        .into())
                }
            },
        }
    };
    let mut out = String::new();
    let (scheme, host, path, userinfo, opaque) =
        (get("scheme")?, get("host")?, get("path")?, get("userinfo")?, get("opaque")?);
    let (query, fragment) = (get("query")?, get("fragment")?);
    if !scheme.is_empty() {
        out.push_str(&scheme);
        out.push(':');
    }
    if opaque.is_empty() {
        if !scheme.is_empty() || !host.is_empty() || !userinfo.is_empty() {
            if !host.is_empty() || !path.is_empty() || !userinfo.is_empty() {
                out.push_str("//");
            }
            if !userinfo.is_empty() {
                out.push_str(&userinfo);
                out.push('@');
            }
            out.push_str(&host);
        }
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            out.push('/');
        }
        out.push_str(&escape(&path, |b| b.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&b)));
    } else {
        out.push_str(&opaque);
    }
    if !query.is_empty() {
        out.push('?');
        out.push_str(&query);
    }
    if !fragment.is_empty() {
        out.push('#');
        out.push_str(&escape(&fragment, |b| b.is_ascii_alphanumeric() || b"-_.~!$&'()*+,/:;=?@".contains(&b)));
    }
    Ok(out.into())
}
