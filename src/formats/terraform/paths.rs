//! Paths of the workspace: relative to the working directory, `/` between their parts, no `.` or `..` but leading ones.

/// The folder of a file; empty for the working directory itself.
pub fn parent(path: &str) -> &str {
    path.rfind('/').and_then(|i| path.get(..i)).unwrap_or("")
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rfind('/').and_then(|i| path.get(i + 1..)).unwrap_or(path)
}

/// `path` seen from the folder `base`, with `.` and `..` resolved as far as can be. An absolute `path` stays as it is.
pub fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let absolute = path.starts_with('/') || (path.is_empty() && base.starts_with('/'));
    let base = if path.starts_with('/') { "" } else { base };
    let root = absolute || base.starts_with('/');
    for part in base.split('/').chain(path.split(['/', '\\'])) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&p| p != "..") => {
                parts.pop();
            }
            ".." if root => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if root { format!("/{joined}") } else { joined }
}

/// The way from the folder `from` to `to`, as Terraform writes `path.module`: `.` for the same folder, no leading `./`.
pub fn relative(from: &str, to: &str) -> String {
    let split =
        |path: &'_ str| -> Vec<String> { path.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect() };
    let (from, to) = (split(from), split(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    let down = to.iter().skip(common).map(String::as_str);
    let way: Vec<&str> = up.chain(down).collect();
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_as_terraform_writes_them() {
        for (base, path, expected) in [
            ("", "./a", "a"),
            ("a/b", "../c", "a/c"),
            ("a", "../../c/./d/", "../c/d"),
            ("..", "../x", "../../x"),
            ("a", "/x/../y", "/y"),
            ("a/b", "", "a/b"),
        ] {
            assert_eq!(join(base, path), expected, "{base} {path}");
        }
        for (from, to, expected) in
            [("", "modules/x", "modules/x"), ("a", "a", "."), ("a/b", "a/c", "../c"), ("", "", ".")]
        {
            assert_eq!(relative(from, to), expected, "{from} {to}");
        }
        assert_eq!((parent("a/b.tf"), file_name("a/b.tf")), ("a", "b.tf"));
        assert_eq!((parent("b.tf"), file_name("b.tf")), ("", "b.tf"));
    }
}
