//! `rsadecrypt`: PKCS #1 v1.5 with a private key in PEM.

use super::{FnCall, FnResult, fail, fail_arg, fail_unknown};
use crate::formats::terraform::eval::Val;
use crate::graph::CauseKind;
use base64::{Engine, engine::general_purpose::STANDARD};
use dashu_int::{UBig, fast_div::ConstDivisor};

/// Keys longer than this are not computed with.
const MAX_KEY_BYTES: usize = 2048;

pub fn rsadecrypt(call: &FnCall<'_, '_>) -> FnResult {
    let text: String = call.text(0).chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let Ok(ciphertext) = STANDARD.decode(text) else {
        return fail_arg(0, "the text is not valid base64");
    };
    let pem = call.text(1);
    if pem.contains("BEGIN OPENSSH PRIVATE KEY") {
        return fail_unknown(CauseKind::Unsupported, "private keys in OpenSSH's own format are not read");
    }
    let Some((modulus, exponent)) = private_key(pem) else {
        return fail_arg(1, "it is no RSA private key in PEM without a passphrase");
    };
    let size = modulus.to_be_bytes().len();
    if size > MAX_KEY_BYTES {
        return Err(super::FnError { arg: Some(1), message: "the key is too long".to_owned(), kind: CauseKind::Limit });
    }
    let number = UBig::from_be_bytes(&ciphertext);
    if size < 11 || number >= modulus {
        return fail("the text cannot be decrypted with this key");
    }
    let message = ConstDivisor::new(modulus).reduce(number).pow(&exponent).residue().to_be_bytes();
    // 00 02, at least eight bytes that are not zero, 00, the message; leading zeros are not in the number.
    let block = match message.split_first() {
        Some((2, rest)) if message.len() + 1 == size => rest,
        _ => return fail("the text cannot be decrypted with this key"),
    };
    match block.iter().position(|&b| b == 0) {
        Some(end) if end >= 8 => match std::str::from_utf8(block.get(end + 1..).unwrap_or_default()) {
            Ok(text) => Ok(Val::string(text)),
            Err(_) => fail_unknown(CauseKind::Unsupported, "the decrypted bytes are no text"),
        },
        _ => fail("the text cannot be decrypted with this key"),
    }
}

/// The modulus and the private exponent.
fn private_key(pem: &str) -> Option<(UBig, UBig)> {
    let (begin, pkcs8) = match pem.find("-----BEGIN RSA PRIVATE KEY-----") {
        Some(at) => (at, false),
        None => (pem.find("-----BEGIN PRIVATE KEY-----")?, true),
    };
    let body = pem.get(begin..)?;
    let body = body.split_once('\n')?.1;
    let body = body.split_once("-----END")?.0;
    if body.contains(':') {
        return None;
    }
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(body).ok()?;
    let mut fields = element(&der, 0x30)?.0;
    if pkcs8 {
        let (_version, rest) = element(fields, 0x02)?;
        let (_algorithm, rest) = element(rest, 0x30)?;
        fields = element(element(rest, 0x04)?.0, 0x30)?.0;
    }
    let (_version, rest) = element(fields, 0x02)?;
    let (modulus, rest) = element(rest, 0x02)?;
    let (_public, rest) = element(rest, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    let modulus = UBig::from_be_bytes(modulus);
    (!modulus.is_zero()).then(|| (modulus, UBig::from_be_bytes(exponent)))
}

/// The content of a DER element of a kind, and what follows it.
fn element(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count > 4 {
            return None;
        }
        let length = rest.get(..count)?.iter().fold(0usize, |n, &b| n << 8 | usize::from(b));
        (length, rest.get(count..)?)
    };
    (found == kind).then_some(())?;
    Some((rest.get(..length)?, rest.get(length..)?))
}
