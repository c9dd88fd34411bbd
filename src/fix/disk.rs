//! Writing mended files.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that writes files, and looks first at what it replaces"
)]

use super::Changed;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes a mended text in the place of the one that was read, below `root`. The file is replaced as a whole, so that
/// nobody sees half of it, and keeps its permissions; a symbolic link stays one.
///
/// # Errors
/// What the file system says; [`io::ErrorKind::InvalidData`] where the file is no longer what was read.
pub fn write(root: &Path, changed: &Changed) -> io::Result<()> {
    let path = fs::canonicalize(root.join(&*changed.path))?;
    let now = fs::read(&path)?;
    let mark = "\u{feff}".as_bytes();
    let (bom, body) = now.strip_prefix(mark).map_or((false, now.as_slice()), |rest| (true, rest));
    let read = changed.before.strip_prefix('\u{feff}').unwrap_or(&changed.before);
    if body != read.as_bytes() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} was changed by someone else meanwhile; run the command again", changed.path),
        ));
    }
    let folder = path.parent().unwrap_or(root);
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".{name}.{}.stacklint", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        if bom && !changed.after.starts_with('\u{feff}') {
            file.write_all(mark)?;
        }
        file.write_all(changed.after.as_bytes())?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    })();
    if written.is_err() {
        // The error that matters is the one above.
        let _ = fs::remove_file(&temporary);
    }
    written
}
