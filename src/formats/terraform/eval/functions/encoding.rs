//! Text in other forms: base64, character sets, URLs, CSV.

use super::{FnCall, FnError, FnResult, fail, fail_arg, fail_unknown};
use crate::base::Span;
use crate::formats::terraform::eval::val::Member;
use crate::formats::terraform::eval::{Type, Val, nfc};
use crate::graph::CauseKind;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet, engine::general_purpose::STANDARD};
use std::fmt::Write;
use std::sync::Arc;

/// Go's decoder does not look at the bits that the last sign has too many.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

fn decode(text: &str) -> Option<Vec<u8>> {
    if text.contains(['\n', '\r']) {
        let joined: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
        return LENIENT.decode(joined).ok();
    }
    LENIENT.decode(text).ok()
}

pub fn base64encode(call: &FnCall<'_, '_>) -> FnResult {
    let text = call.arg(0);
    let mut val = Val::string(STANDARD.encode(call.text(0)));
    val.origin.how = crate::graph::How::Encoded(Arc::new(text.to_value()));
    Ok(val)
}

pub fn base64decode(call: &FnCall<'_, '_>) -> FnResult {
    let Some(bytes) = decode(call.text(0)) else {
        return fail("the text is not valid base64");
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Val::string(text)),
        Err(_) => fail("the decoded bytes are no UTF-8 text"),
    }
}

pub fn base64gzip(_: &FnCall<'_, '_>) -> FnResult {
    // What the bytes are depends on the compressor.
    fail_unknown(CauseKind::Unsupported, "what base64gzip gives is not computed here")
}

enum Charset {
    Utf16(bool, bool),
    Latin1,
    Other(&'static encoding_rs::Encoding),
}

fn charset(name: &str) -> Result<Charset, FnError> {
    let wrong = || FnError {
        arg: Some(1),
        message: format!("{name:?} is no IANA name of a character set"),
        kind: CauseKind::Error,
    };
    Ok(match name.to_ascii_lowercase().as_str() {
        "utf-16" => Charset::Utf16(false, true),
        "utf-16be" => Charset::Utf16(false, false),
        "utf-16le" => Charset::Utf16(true, false),
        "iso-8859-1" | "iso_8859-1:1987" | "iso_8859-1" | "latin1" | "l1" | "cp819" | "ibm819" => Charset::Latin1,
        // Names that browsers know and IANA does not.
        "utf8" | "unicode-1-1-utf-8" | "unicode11utf8" | "unicode20utf8" | "x-unicode20utf8" | "sjis" | "x-sjis" => {
            return Err(wrong());
        }
        other => match encoding_rs::Encoding::for_label(other.as_bytes()) {
            Some(encoding) => Charset::Other(encoding),
            None if ["cp", "ibm", "windows", "iso", "mac", "cs"].iter().any(|family| other.starts_with(family)) => {
                return fail_unknown(CauseKind::Unsupported, format!("the character set {name:?} is not known here"));
            }
            None => return Err(wrong()),
        },
    })
}

pub fn textencodebase64(call: &FnCall<'_, '_>) -> FnResult {
    let text = call.text(0);
    let unfit = |c: char| FnError {
        arg: Some(0),
        message: format!("{c:?} cannot be written in {}", call.text(1)),
        kind: CauseKind::Error,
    };
    let bytes: Vec<u8> = match charset(call.text(1))? {
        Charset::Utf16(little, mark) => {
            let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            units.flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
        }
        Charset::Latin1 => {
            text.chars().map(|c| u8::try_from(c as u32).map_err(|_| unfit(c))).collect::<Result<_, _>>()?
        }
        Charset::Other(encoding) => {
            let (bytes, _, unmappable) = encoding.encode(text);
            if unmappable {
                return fail_arg(0, format!("the text cannot be written in {}", call.text(1)));
            }
            bytes.into_owned()
        }
    };
    Ok(Val::string(STANDARD.encode(bytes)))
}

pub fn textdecodebase64(call: &FnCall<'_, '_>) -> FnResult {
    let Some(bytes) = decode(call.text(0)) else {
        return fail_arg(0, "the text is not valid base64");
    };
    let text = match charset(call.text(1))? {
        Charset::Utf16(little, mark) => {
            let mut units: Vec<u16> = bytes
                .chunks(2)
                .map(|c| match *c {
                    [a, b] if little => u16::from_le_bytes([a, b]),
                    [a, b] => u16::from_be_bytes([a, b]),
                    _ => 0xfffd,
                })
                .collect();
            if mark {
                match units.first() {
                    Some(0xfeff) => {
                        units.remove(0);
                    }
                    Some(0xfffe) => {
                        units.remove(0);
                        units.iter_mut().for_each(|u| *u = u.swap_bytes());
                    }
                    _ => return fail_unknown(CauseKind::Unsupported, "UTF-16 without a byte-order mark"),
                }
            }
            String::from_utf16_lossy(&units)
        }
        Charset::Latin1 => bytes.iter().map(|&b| char::from(b)).collect(),
        Charset::Other(encoding) if encoding == encoding_rs::UTF_8 => match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => return fail_arg(0, "the decoded bytes are no UTF-8 text"),
        },
        Charset::Other(encoding) => {
            let text = encoding.decode_without_bom_handling(&bytes).0.into_owned();
            // Browsers take the bytes that Windows leaves free for controls; Terraform refuses them.
            if encoding.name().starts_with("windows-") && text.contains(|c| matches!(c, '\u{80}'..='\u{9f}')) {
                return fail_arg(0, "some of the bytes mean nothing in this encoding");
            }
            text
        }
    };
    if text.contains('\u{fffd}') {
        return fail_arg(0, "some of the bytes mean nothing in this encoding");
    }
    Ok(Val::string(text))
}

pub fn urlencode(call: &FnCall<'_, '_>) -> FnResult {
    let mut out = String::new();
    for &byte in call.text(0).as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(Val::string(out))
}

pub fn csvdecode(call: &FnCall<'_, '_>) -> FnResult {
    let mut rows = Csv { rest: call.text(0), line: 0 };
    let Some(header) = rows.row()? else {
        return fail("there is no header line");
    };
    let names: Vec<Arc<str>> = header.into_iter().map(|n| nfc(n.into())).collect();
    let mut sorted = names.clone();
    sorted.sort();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return fail(format!("the column {:?} stands twice in the header", pair[0]));
    }
    let elem = Type::object(sorted.into_iter().map(|n| (n, Type::String)));
    let mut items = Vec::new();
    while let Some(row) = rows.row()? {
        call.spend(row.len())?;
        if row.len() != names.len() {
            return fail(format!("line {} has {} fields, and the header {}", rows.line, row.len(), names.len()));
        }
        let member = |(key, text): (&Arc<str>, String)| Member {
            key: key.clone(),
            key_span: Span::NONE,
            val: Val::string(text),
        };
        items.push(Val::object(names.iter().zip(row).map(member).collect()));
    }
    Ok(Val::list(elem, items))
}

/// CSV as Go's `encoding/csv` reads it (RFC 4180; empty lines are skipped).
struct Csv<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Csv<'t> {
    /// The next line, with its line break.
    fn line(&mut self) -> Option<&'t str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.find('\n').map_or(self.rest.len(), |i| i + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn row(&mut self) -> Result<Option<Vec<String>>, FnError> {
        let mut line = loop {
            match self.line() {
                None => return Ok(None),
                Some("\n" | "\r\n") => {}
                Some(line) => break line,
            }
        };
        let mut fields = Vec::new();
        loop {
            let Some(quoted) = line.strip_prefix('"') else {
                let end = line.find(',').unwrap_or(line.len());
                let field = line[..end].trim_end_matches('\n');
                let field = if end == line.len() { field.strip_suffix('\r').unwrap_or(field) } else { field };
                if field.contains('"') {
                    return fail(format!("line {}: a bare quote in a field", self.line));
                }
                fields.push(field.to_owned());
                match line.get(end + 1..) {
                    Some(rest) if end < line.len() => line = rest,
                    _ => return Ok(Some(fields)),
                }
                continue;
            };
            let mut field = String::new();
            line = quoted;
            loop {
                match line.find('"') {
                    Some(end) => {
                        field.push_str(&line[..end]);
                        line = &line[end + 1..];
                        if let Some(rest) = line.strip_prefix('"') {
                            field.push('"');
                            line = rest;
                            continue;
                        }
                        break;
                    }
                    None => {
                        field.push_str(&line.replace("\r\n", "\n"));
                        line = match self.line() {
                            Some(next) => next,
                            None => return fail(format!("line {}: a quoted field does not end", self.line)),
                        };
                    }
                }
            }
            fields.push(field);
            if let Some(rest) = line.strip_prefix(',') {
                line = rest;
            } else if matches!(line, "" | "\n" | "\r\n") {
                return Ok(Some(fields));
            } else {
                return fail(format!("line {}: there is more after a closing quote", self.line));
            }
        }
    }
}
