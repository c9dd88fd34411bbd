//! Hashes and identifiers.

use super::{FnCall, FnResult, fail_arg, fail_unknown};
use crate::formats::terraform::eval::Val;
use crate::graph::CauseKind;
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Digest;
use std::fmt::Write;

/// Bytes in hexadecimal.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The hash functions, over bytes, as text.
pub fn hash(name: &str, bytes: &[u8]) -> String {
    match name {
        "md5" => hex(md5::Md5::digest(bytes)),
        "sha1" => hex(sha1::Sha1::digest(bytes)),
        "sha256" => hex(sha2::Sha256::digest(bytes)),
        "sha512" => hex(sha2::Sha512::digest(bytes)),
        "base64sha256" => STANDARD.encode(sha2::Sha256::digest(bytes)),
        "base64sha512" => STANDARD.encode(sha2::Sha512::digest(bytes)),
        _ => STANDARD.encode(bytes),
    }
}

fn of_text(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::string(hash(call.name, call.text(0).as_bytes())))
}

pub fn md5(call: &FnCall<'_, '_>) -> FnResult {
    of_text(call)
}

pub fn sha1(call: &FnCall<'_, '_>) -> FnResult {
    of_text(call)
}

pub fn sha256(call: &FnCall<'_, '_>) -> FnResult {
    of_text(call)
}

pub fn sha512(call: &FnCall<'_, '_>) -> FnResult {
    of_text(call)
}

pub fn base64sha256(call: &FnCall<'_, '_>) -> FnResult {
    of_text(call)
}

pub fn base64sha512(call: &FnCall<'_, '_>) -> FnResult {
    of_text(call)
}

pub fn bcrypt(call: &FnCall<'_, '_>) -> FnResult {
    if call.args.len() > 2 {
        return fail_arg(2, "there is only one cost");
    }
    fail_unknown(CauseKind::External, "a bcrypt hash is different each time")
}

pub fn uuid(_: &FnCall<'_, '_>) -> FnResult {
    fail_unknown(CauseKind::External, "a UUID is different each time")
}

pub fn uuidv5(call: &FnCall<'_, '_>) -> FnResult {
    let well_known = |n: u8| {
        // RFC 4122, appendix C.
        let mut id = [0x6b, 0xa7, 0xb8, 0, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        id[3] = n;
        id
    };
    let namespace = match call.text(0) {
        "dns" | "DNS" => well_known(0x10),
        "url" | "URL" => well_known(0x11),
        "oid" | "OID" => well_known(0x12),
        "x500" | "X500" => well_known(0x14),
        other => match parse_uuid(other) {
            Some(id) => id,
            None => return fail_arg(0, format!("{other:?} is no UUID, and no name of a namespace")),
        },
    };
    let mut hasher = sha1::Sha1::new();
    hasher.update(namespace);
    hasher.update(call.text(1).as_bytes());
    let digest = hasher.finalize();
    let mut id = [0u8; 16];
    id.copy_from_slice(&digest[..16]);
    id[6] = (id[6] & 0x0f) | 0x50;
    id[8] = (id[8] & 0x3f) | 0x80;
    let text = hex(id);
    let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
    Ok(Val::string(parts.join("-")))
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let digits: String = match text.len() {
        32 => text.to_owned(),
        36 if [8, 13, 18, 23].iter().all(|&i| text.as_bytes().get(i) == Some(&b'-')) => text.replace('-', ""),
        _ => return None,
    };
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut id = [0u8; 16];
    for (i, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(id)
}
