//! The unified format of differences.

use similar::TextDiff;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The difference of a file as `patch -p1` and `git apply` read it; empty where there is none.
pub fn diff(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_file_and_the_lines() {
        let text = diff("a.tf", "one\ntwo\nthree", "one\n2\nthree");
        assert_eq!(
            text,
            "--- a/a.tf\n+++ b/a.tf\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n\\ No newline at end of file\n"
        );
        assert_eq!(diff("a.tf", "x", "x"), "");
    }
}
