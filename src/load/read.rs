//! One file from disk to text.

use crate::analysis::FileState;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Larger files are no configuration that somebody wrote.
pub const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Why a file gave no text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// How it stands in the ledger.
    pub state: FileState,
    /// The reason in words.
    pub reason: String,
}

fn unread(reason: impl Into<String>) -> Unreadable {
    Unreadable { state: FileState::Unread, reason: reason.into() }
}

/// What the system says, without the number that Rust appends.
pub(super) fn system_message(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

/// Reads a text file.
///
/// # Errors
///
/// [`Unreadable`] where it cannot be opened, is too large, is binary, or is not UTF-8.
#[expect(clippy::disallowed_methods, reason = "this is the place that reads files")]
pub fn read_text(path: &Path) -> Result<Arc<str>, Unreadable> {
    let mut file = std::fs::File::open(path).map_err(|e| unread(system_message(&e)))?;
    let metadata = file.metadata().map_err(|e| unread(system_message(&e)))?;
    // A pipe or device would block or never end.
    if !metadata.is_file() {
        return Err(unread("it is not a regular file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    // The file may grow while it is read.
    file.by_ref().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| unread(system_message(&e)))?;
    to_text(bytes)
}

/// The reason for a file beyond [`MAX_FILE_BYTES`].
pub(super) fn too_large() -> Unreadable {
    unread(format!("it is larger than the limit of {} MB", MAX_FILE_BYTES / 1024 / 1024))
}

pub(super) fn to_text(bytes: Vec<u8>) -> Result<Arc<str>, Unreadable> {
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            Err(Unreadable { state: FileState::Skipped, reason: "it is a binary file".to_owned() })
        }
        Ok(text) => Ok(text.into()),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                return Err(unread("it is UTF-16; save it as UTF-8"));
            }
            if bytes.contains(&0) {
                return Err(Unreadable { state: FileState::Skipped, reason: "it is a binary file".to_owned() });
            }
            Err(unread(format!("it is not UTF-8 (byte {at})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_says_why() {
        let reason = |bytes: &[u8]| to_text(bytes.to_vec()).map_err(|e| (e.state, e.reason));
        assert_eq!(reason(b"a\xc3\xbc").as_deref(), Ok("a\u{fc}"));
        assert_eq!(reason(b"ab\xff"), Err((FileState::Unread, "it is not UTF-8 (byte 2)".to_owned())));
        assert_eq!(reason(b"\x7fELF\0"), Err((FileState::Skipped, "it is a binary file".to_owned())));
        assert_eq!(reason(b"\xff\xfea\0"), Err((FileState::Unread, "it is UTF-16; save it as UTF-8".to_owned())));
    }
}
