//! Whether a file holds Kubernetes objects, judged by a look at its text.

/// What a text looks like to Kubernetes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looks {
    /// Some document has `apiVersion` and `kind` at its top.
    LikeManifest,
    /// It would be one, but it is a template of a chart: it must be rendered first.
    LikeTemplate,
    /// Something else.
    Otherwise,
}

/// Judges a text. Reads it once at most, and only if it names `apiVersion` at all.
pub fn look(text: &str) -> Looks {
    if !text.contains("apiVersion") || !text.contains("kind") {
        return Looks::Otherwise;
    }
    let text = text.trim_start_matches('\u{feff}');
    let first = text.trim_start().as_bytes().first();
    let object = if matches!(first, Some(b'{' | b'[')) && !text.trim_start().starts_with("{{") {
        json_object(text)
    } else {
        yaml_object(text)
    };
    match object {
        None => Looks::Otherwise,
        Some(object) if !is_object(object) => Looks::Otherwise,
        Some(_) if is_template(text) => Looks::LikeTemplate,
        Some(_) => Looks::LikeManifest,
    }
}

/// The two fields every object has.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Head<'t> {
    api_version: Option<&'t str>,
    kind: Option<&'t str>,
}

impl<'t> Head<'t> {
    fn complete(self) -> Option<Head<'t>> {
        (self.api_version.is_some() && self.kind.is_some()).then_some(self)
    }
}

/// The same two fields are used by files that are not objects at all: tools' configuration.
fn is_object(head: Head<'_>) -> bool {
    let (api, kind) = (head.api_version.unwrap_or(""), head.kind.unwrap_or(""));
    if kind.is_empty() || api.is_empty() {
        return false;
    }
    let local =
        ["kustomize.config.k8s.io/", "skaffold/", "devspace.sh/", "kind.x-k8s.io/", "client.authentication.k8s.io/"];
    let kustomize = kind == "Kustomization" && !api.contains("fluxcd");
    !kustomize && !local.iter().any(|prefix| api.starts_with(prefix))
}

/// The head of the first document in block style that has one.
fn yaml_object(text: &str) -> Option<Head<'_>> {
    let mut head = Head::default();
    // The column of the document's first key: all its top-level keys stand there.
    let mut column = None;
    for line in text.lines() {
        if line.starts_with("---") || line.starts_with("...") {
            if let found @ Some(_) = head.complete() {
                return found;
            }
            (head, column) = (Head::default(), None);
            continue;
        }
        let body = line.trim_start();
        if body.is_empty() || body.starts_with(['#', '%']) || body.starts_with("{{") {
            continue;
        }
        let indent = line.len() - body.len();
        if *column.get_or_insert(indent) != indent {
            continue;
        }
        if head.api_version.is_none()
            && let Some(value) = field(body, "apiVersion")
        {
            head.api_version = Some(value);
        } else if head.kind.is_none()
            && let Some(value) = field(body, "kind")
        {
            head.kind = Some(value);
        }
        if let found @ Some(_) = head.complete() {
            return found;
        }
        if body.starts_with('{')
            && let found @ Some(_) = json_object(body)
        {
            return found;
        }
    }
    None
}

/// The value of `name: value` on one line, quoted or not.
fn field<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let rest = match line.as_bytes().first()? {
        quote @ (b'"' | b'\'') => line[1..].strip_prefix(name)?.strip_prefix(char::from(*quote))?,
        _ => line.strip_prefix(name)?,
    };
    let value = rest.trim_start().strip_prefix(':')?;
    let value = value.split_once(" #").map_or(value, |(value, _)| value).trim();
    Some(value.trim_matches(['"', '\'', ',']))
}

/// The head of the first object in JSON (or YAML's flow style) that has one; a list of objects counts.
fn json_object(text: &str) -> Option<Head<'_>> {
    let bytes = text.as_bytes();
    let mut head = Head::default();
    let (mut depth, mut at, mut key) = (0_i32, 0, None);
    let mut key_next = false;
    while let Some(&b) = bytes.get(at) {
        match b {
            b'{' | b'[' => {
                depth += 1;
                key_next = b == b'{';
                at += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                if depth <= 0 {
                    if let found @ Some(_) = head.complete() {
                        return found;
                    }
                    head = Head::default();
                }
                at += 1;
            }
            b',' => {
                (key_next, key) = (true, None);
                at += 1;
            }
            b':' => {
                key_next = false;
                at += 1;
            }
            b if b.is_ascii_whitespace() => at += 1,
            _ => {
                let (word, next) = word(text, at);
                at = next;
                if depth != 1 {
                    continue;
                }
                if key_next {
                    key = Some(word);
                } else if key == Some("apiVersion") {
                    head.api_version = Some(word);
                } else if key == Some("kind") {
                    head.kind = Some(word);
                }
            }
        }
    }
    head.complete()
}

/// A quoted or bare word and where it ends.
fn word(text: &str, at: usize) -> (&str, usize) {
    let bytes = text.as_bytes();
    let quote = bytes[at];
    if quote == b'"' || quote == b'\'' {
        let mut end = at + 1;
        while end < bytes.len() && bytes[end] != quote {
            end += if bytes[end] == b'\\' && quote == b'"' { 2 } else { 1 };
        }
        let end = end.min(bytes.len());
        return (text.get(at + 1..end).unwrap_or(""), end + 1);
    }
    let len = bytes[at..]
        .iter()
        .position(|b| matches!(b, b',' | b':' | b'{' | b'}' | b'[' | b']'))
        .unwrap_or(bytes.len() - at);
    (text.get(at..at + len).unwrap_or("").trim_end(), at + len)
}

/// Whether the text is a Go template of a chart, and not a manifest that carries `{{ … }}` for somebody else (alerting rules,
/// workflows): its actions stand as lines of their own, or speak of what only Helm knows.
fn is_template(text: &str) -> bool {
    if !text.contains("{{") {
        return false;
    }
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let action = rest[at + 2..].trim_start_matches('-').trim_start();
        let action = action.get(..action.find("}}").unwrap_or(action.len()).min(400)).unwrap_or(action);
        let helm = [".Values", ".Release.", ".Chart.", ".Capabilities.", ".Template.", "$.Files", ".Files."];
        if helm.iter().any(|name| action.contains(name))
            || action.starts_with("include \"")
            || action.starts_with("define \"")
        {
            return true;
        }
        rest = &rest[at + 2..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_told_from_their_likes() {
        use Looks::{LikeManifest, LikeTemplate, Otherwise};
        for (text, expected) in [
            ("apiVersion: v1\nkind: Pod\n", LikeManifest),
            ("# c\n---\n# d\nkind: \"Pod\"\nmetadata:\n  name: x\napiVersion: 'v1' # old\n", LikeManifest),
            ("a: 1\n---\n\"apiVersion\": v1\n\"kind\": Pod\n", LikeManifest),
            ("  apiVersion: v1\n  kind: Pod\n", LikeManifest),
            ("{\"kind\": \"Pod\", \"x\": {\"y\": [1]}, \"apiVersion\": \"v1\"}", LikeManifest),
            ("--- {kind: Pod, apiVersion: v1}\n", Otherwise),
            ("---\n{kind: Pod, apiVersion: v1}\n", LikeManifest),
            ("[{\"kind\": \"Pod\", \"apiVersion\": \"v1\"}]", Otherwise),
            ("x:\n  apiVersion: v1\n  kind: Pod\n", Otherwise),
            ("apiVersion: v2\nname: chart\nkind_of: x\n", Otherwise),
            ("apiVersion: v1\n---\nkind: Pod\n", Otherwise),
            // A kubeconfig holds credentials.
            ("apiVersion: v1\nkind: Config\nclusters: []\n", LikeManifest),
            ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", Otherwise),
            ("apiVersion: v1\nkind: Kustomization\n", Otherwise),
            ("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n", LikeManifest),
            ("apiVersion: v1\nkind: Pod\nx: {{ .Values.x }}\n", LikeTemplate),
            ("{{- if .Values.x }}\napiVersion: v1\nkind: Pod\n{{- end }}\n", LikeTemplate),
            ("apiVersion: v1\nkind: Rule\nx: '{{ $labels.pod }}'\n", LikeManifest),
            ("services:\n  a:\n    image: kind\n    apiVersion: x\n", Otherwise),
            ("openapi: 3.0.0\ncomponents: {schemas: {X: {properties: {kind: {}, apiVersion: {}}}}}\n", Otherwise),
        ] {
            assert_eq!(look(text), expected, "{text}");
        }
    }
}
