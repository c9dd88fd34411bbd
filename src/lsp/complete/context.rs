//! Where in a document the cursor stands, read off a text that is being typed and so is broken most of the time.

use super::schema::Step;

/// What is being written at the cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// The way to the mapping of which a key is written, or to the value that is written.
    pub path: Vec<Step>,
    /// What it is.
    pub what: What,
    /// Where the word begins of which a part is already there.
    pub start: usize,
    /// The quotation mark that the cursor stands behind, if any.
    pub quoted: Option<char>,
    /// Keys that the mapping has already.
    pub taken: Vec<String>,
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A key.
    Key,
    /// A value.
    Value,
    /// The name of a table, between its brackets.
    Header,
}

/// A collection within brackets that is not closed yet.
#[derive(Clone, Debug)]
struct Flow {
    closes: char,
    /// The keys so far; for a list none.
    keys: Vec<String>,
    /// The key whose value is written, or the number of the item.
    at: Option<Step>,
    /// Where the word under way began.
    start: usize,
}

impl Flow {
    fn new(open: char, start: usize) -> Flow {
        let (closes, at) = if open == '{' { ('}', None) } else { (']', Some(Step::Item(0))) };
        Flow { closes, keys: Vec::new(), at, start }
    }

    /// Steps on behind a comma.
    fn next(&mut self, start: usize) {
        self.start = start;
        self.at = match self.at {
            Some(Step::Item(n)) if self.closes == ']' => Some(Step::Item(n + 1)),
            _ => None,
        };
    }
}

/// Reads the brackets, strings and words of a value up to the cursor.
struct Values<'t> {
    text: &'t str,
    flows: Vec<Flow>,
    quote: Option<(char, usize)>,
    /// What stands between a key and its value.
    colon: char,
}

impl Values<'_> {
    /// Reads on from `from` to `to`; whether a comment began.
    fn read(&mut self, from: usize, to: usize) -> bool {
        let mut chars = self.text[from..to].char_indices().map(|(i, c)| (from + i, c)).peekable();
        let mut before = ' ';
        while let Some((i, c)) = chars.next() {
            let after = i + c.len_utf8();
            match (self.quote, c) {
                (Some(('"', _)), '\\') => {
                    chars.next();
                }
                (Some((q, _)), c) if q == c => self.quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') if !before.is_alphanumeric() => self.quote = Some((c, after)),
                (None, '#') if before.is_whitespace() || self.colon == '=' => {
                    let text = self.text;
                    if let Some(flow) = self.flows.last_mut().filter(|f| text[f.start.min(i)..i].trim().is_empty()) {
                        flow.start = to;
                    }
                    return true;
                }
                (None, '{' | '[') => self.flows.push(Flow::new(c, after)),
                (None, '}' | ']') if self.flows.last().is_some_and(|f| f.closes == c) => {
                    self.flows.pop();
                }
                (None, ',') => {
                    if let Some(flow) = self.flows.last_mut() {
                        flow.next(after);
                    }
                }
                (None, c) if c == self.colon => {
                    if let Some(flow) = self.flows.last_mut().filter(|f| f.closes == '}' && f.at.is_none()) {
                        let key = unquoted(&self.text[flow.start..i]);
                        flow.keys.push(key.clone());
                        flow.at = Some(Step::Key(key));
                        flow.start = after;
                    }
                }
                _ => {}
            }
            before = c;
        }
        false
    }

    /// What is written at `offset`, inside of the brackets that are open, where some are.
    fn context(&self, mut path: Vec<Step>, offset: usize) -> Option<Context> {
        let last = self.flows.last()?;
        path.extend(self.flows.iter().filter_map(|f| f.at.clone()));
        let what = if last.at.is_some() { What::Value } else { What::Key };
        let (start, quoted) = self.word(last.start, offset);
        Some(Context { path, what, start, quoted, taken: last.keys.clone() })
    }

    /// The beginning of the word at `offset`, which is not before `from`.
    fn word(&self, from: usize, offset: usize) -> (usize, Option<char>) {
        match self.quote {
            Some((quote, start)) => (start, Some(quote)),
            None => {
                let text = self.text.get(from..offset).unwrap_or("");
                (offset - text.trim_start().len(), None)
            }
        }
    }
}

fn unquoted(word: &str) -> String {
    let word = word.trim();
    let inner = ['"', '\''].iter().find_map(|&q| word.strip_prefix(q)?.strip_suffix(q));
    inner.unwrap_or(word).to_owned()
}

/// The place of the cursor in a YAML document; `None` in a comment and in a block of text.
pub fn yaml(text: &str, offset: usize) -> Option<Context> {
    let text = text.get(..offset)?;
    // The keys and items that lead to the line, with their columns and the keys beside each.
    let mut stack: Vec<(usize, Step, Vec<String>)> = Vec::new();
    let mut values = Values { text, flows: Vec::new(), quote: None, colon: ':' };
    // The column of the key whose value is a block of text.
    let mut block: Option<usize> = None;
    let mut top: Vec<String> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let is_last = end == offset && !line.ends_with('\n');
        let content = start + (line.len() - line.trim_start_matches(' ').len());
        let column = content - start;
        let (this, rest) = (start, line.trim());
        start = end;
        if !values.flows.is_empty() || values.quote.is_some() {
            if values.read(this, end) && is_last {
                return None;
            }
            if is_last {
                break;
            }
            continue;
        }
        match block {
            Some(key) if rest.is_empty() || column > key => {
                if is_last && (column > key) {
                    return None;
                }
                continue;
            }
            _ => block = None,
        }
        if rest.starts_with('#') {
            if is_last {
                return None;
            }
            continue;
        }
        if rest.starts_with("---") {
            (stack, top) = (Vec::new(), Vec::new());
            continue;
        }
        if rest.is_empty() && !is_last {
            continue;
        }
        // What is to the left of the line's beginning leads to it.
        let dash = rest == "-" || rest.starts_with("- ");
        while stack.last().is_some_and(|(c, ..)| *c > column || (*c == column && !dash)) {
            stack.pop();
        }
        let mut at = content;
        let mut column = column;
        while let Some(after) =
            text[at..end].strip_prefix('-').filter(|a| a.is_empty() || a.starts_with([' ', '\n', '\r']))
        {
            let number = match stack.last() {
                Some((c, Step::Item(n), _)) if *c == column => n + 1,
                _ => 0,
            };
            if stack.last().is_some_and(|(c, s, _)| *c == column && matches!(s, Step::Item(_))) {
                stack.pop();
            }
            stack.push((column, Step::Item(number), Vec::new()));
            let spaces = after.len() - after.trim_start_matches(' ').len();
            at += 1 + spaces;
            column += 1 + spaces;
        }
        let rest = &text[at..end];
        let taken = |stack: &[(usize, Step, Vec<String>)], top: &[String]| {
            stack.last().map_or(top, |(_, _, keys)| keys).to_vec()
        };
        let path = |stack: &[(usize, Step, Vec<String>)]| -> Vec<Step> { stack.iter().map(|s| s.1.clone()).collect() };
        let Some((key, value)) = split_key(rest) else {
            if !is_last {
                values.read(at, end);
                if values.flows.is_empty() {
                    values.quote = None;
                }
                continue;
            }
            if values.read(at, end) {
                return None;
            }
            if !values.flows.is_empty() {
                break;
            }
            let (start, quoted) = values.word(at, offset);
            // An item may be a value as well as the first key of a mapping.
            let what = if quoted.is_some() { What::Value } else { What::Key };
            return Some(Context { path: path(&stack), what, start, quoted, taken: taken(&stack, &top) });
        };
        match stack.last_mut() {
            Some((_, _, keys)) => keys.push(key.clone()),
            None => top.push(key.clone()),
        }
        stack.push((column, Step::Key(key), Vec::new()));
        let from = at + value;
        if text[from..end].trim_start().starts_with(['|', '>']) {
            if is_last {
                return None;
            }
            block = Some(column);
            continue;
        }
        let comment = values.read(from, end);
        if is_last {
            if comment {
                return None;
            }
            if values.flows.is_empty() {
                let (start, quoted) = values.word(from, offset);
                return Some(Context { path: path(&stack), what: What::Value, start, quoted, taken: Vec::new() });
            }
            break;
        }
    }
    let path = stack.iter().map(|s| s.1.clone()).collect();
    if values.flows.is_empty() {
        // The text ended with a line's end: a key of the outermost mapping may follow.
        return Some(Context { path: Vec::new(), what: What::Key, start: offset, quoted: None, taken: top });
    }
    values.context(path, offset)
}

/// The key of a line `key: value`, and where behind it the value begins.
fn split_key(line: &str) -> Option<(String, usize)> {
    if line.starts_with(['{', '[', '#']) {
        return None;
    }
    let colon = match line.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = line[1..].find(quote)? + 2;
            line[end..].starts_with(':').then_some(end)?
        }
        _ => line.match_indices(':').map(|(i, _)| i).find(|&i| {
            let after = &line[i + 1..];
            after.is_empty() || after.starts_with([' ', '\n', '\r'])
        })?,
    };
    Some((unquoted(&line[..colon]), colon + 1))
}

/// The place of the cursor in a TOML document; `None` in a comment.
pub fn toml(text: &str, offset: usize) -> Option<Context> {
    let text = text.get(..offset)?;
    let mut table: Vec<Step> = Vec::new();
    let mut tables: Vec<(String, usize)> = Vec::new();
    let mut values = Values { text, flows: Vec::new(), quote: None, colon: '=' };
    let mut taken: Vec<String> = Vec::new();
    let mut path: Vec<Step> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let (this, end) = (start, start + line.len());
        let is_last = end == offset && !line.ends_with('\n');
        start = end;
        let mut from = this;
        if values.flows.is_empty() {
            // A string ends with its line, but for those of three quotation marks, in which nothing is completed.
            values.quote = None;
            let content = line.trim_start();
            let indent = this + (line.len() - content.len());
            if content.starts_with('[') {
                let name = content.trim_start_matches('[');
                let open = content.len() - name.len();
                let Some(close) = name.find(']') else {
                    if !is_last {
                        continue;
                    }
                    let dot = name.rfind('.').map_or(0, |i| i + 1);
                    let quoted = name[dot..].chars().next().filter(|c| matches!(c, '"' | '\''));
                    let start = indent + open + dot + usize::from(quoted.is_some());
                    let path = dotted(&name[..dot.saturating_sub(1)]).into_iter().map(Step::Key).collect();
                    return Some(Context { path, what: What::Header, start, quoted, taken: Vec::new() });
                };
                table = dotted(&name[..close]).into_iter().map(Step::Key).collect();
                taken = Vec::new();
                if open == 2 {
                    let name = name[..close].trim().to_owned();
                    let number = match tables.iter_mut().find(|(n, _)| *n == name) {
                        Some((_, number)) => {
                            *number += 1;
                            *number
                        }
                        None => {
                            tables.push((name, 0));
                            0
                        }
                    };
                    table.push(Step::Item(number));
                }
                continue;
            }
            if content.starts_with('#') {
                if is_last {
                    return None;
                }
                continue;
            }
            let Some(equals) = equals(content) else {
                if is_last {
                    let quoted = content.chars().next().filter(|c| matches!(c, '"' | '\''));
                    let start = indent + usize::from(quoted.is_some());
                    return Some(Context { path: table, what: What::Key, start, quoted, taken });
                }
                continue;
            };
            let keys = dotted(&content[..equals]);
            taken.extend(keys.first().cloned());
            path = table.iter().cloned().chain(keys.into_iter().map(Step::Key)).collect();
            from = indent + equals + 1;
        }
        let comment = values.read(from, end);
        if is_last {
            if comment {
                return None;
            }
            if values.flows.is_empty() {
                let (start, quoted) = values.word(from, offset);
                return Some(Context { path, what: What::Value, start, quoted, taken: Vec::new() });
            }
            return values.context(path, offset);
        }
    }
    if values.flows.is_empty() {
        return Some(Context { path: table, what: What::Key, start: offset, quoted: None, taken });
    }
    values.context(path, offset)
}

/// The first `=` of a line that does not stand in quotation marks.
fn equals(line: &str) -> Option<usize> {
    let mut quote = None;
    line.char_indices().find_map(|(i, c)| {
        match (quote, c) {
            (None, '=') => return Some(i),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
        None
    })
}

/// The parts of a dotted key.
fn dotted(key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for c in key.trim().chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, '.') => parts.push(String::new()),
            (None, c) if c.is_whitespace() => {}
            (_, c) => {
                if let Some(last) = parts.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    parts.retain(|p| !p.is_empty());
    parts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    /// `key a.0.b «typed»` for the text up to `|`; what is already taken behind `-`.
    fn said(context: Option<Context>, text: &str, offset: usize) -> String {
        let Some(context) = context else { return "nothing".to_owned() };
        let path: Vec<String> = context
            .path
            .iter()
            .map(|s| match s {
                Step::Key(k) => k.clone(),
                Step::Item(n) => n.to_string(),
            })
            .collect();
        let what = match context.what {
            What::Key => "key",
            What::Value => "value",
            What::Header => "header",
        };
        let quote = context.quoted.map_or(String::new(), String::from);
        let taken = if context.taken.is_empty() { String::new() } else { format!(" -{}", context.taken.join(",")) };
        format!("{what} {} {quote}«{}»{taken}", path.join("."), &text[context.start..offset])
    }

    #[track_caller]
    fn check_yaml(text: &str, expected: &str) {
        // A broken bar stands for a whole one that is no cursor.
        let text = text.replacen('|', "\0", 1).replace('¦', "|");
        let offset = text.find('\0').unwrap();
        let text = text.replacen('\0', "", 1);
        assert_eq!(said(yaml(&text, offset), &text, offset), expected);
    }

    #[track_caller]
    fn check_toml(text: &str, expected: &str) {
        let offset = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        assert_eq!(said(toml(&text, offset), &text, offset), expected);
    }

    #[test]
    fn keys_of_mappings() {
        check_yaml("name: a\nsev|", "key  «sev» -name");
        check_yaml("name: a\n|", "key  «» -name");
        check_yaml("deny:\n  path: $.a\n  eq|", "key deny «eq» -path");
        check_yaml("deny:\n  all:\n    - path: $.a\n      is|", "key deny.all.0 «is» -path");
        check_yaml("deny:\n  all:\n    - path: $.a\n    - pa|", "key deny.all.1 «pa»");
        check_yaml("deny:\n  all:\n  - path: $.a\n  - pa|", "key deny.all.1 «pa»");
        check_yaml("deny:\n  all:\n  - path: $.a\n  an|", "key deny «an» -all");
        check_yaml("deny:\n  any: [a]\nti|", "key  «ti» -deny");
        check_yaml("deny:\n  - - x|", "key deny.0.0 «x»");
        check_yaml("a: 1\n---\nb|", "key  «b»");
    }

    #[test]
    fn values_of_keys() {
        check_yaml("severity: h|", "value severity «h»");
        check_yaml("severity: \"h|", "value severity \"«h»");
        check_yaml("severity: |", "value severity «»");
        check_yaml("deny:\n  all:\n    - exists: t|", "value deny.all.0.exists «t»");
        check_yaml("\"a b\": c|", "value a b «c»");
        check_yaml("url: http://x|", "value url «http://x»");
    }

    #[test]
    fn inside_of_brackets() {
        check_yaml("resource: [aws_s3_bucket, a|", "value resource.1 «a»");
        check_yaml("fix: {set: $.a, sa|", "key fix «sa» -set");
        check_yaml("fix: {set: $.a, safety: s|", "value fix.safety «s» -set,safety");
        check_yaml("deny:\n  any:\n    - {path: $.a, in: [a, b], no|", "key deny.any.0 «no» -path,in");
        check_yaml("a: {b: [{c: 1}, {d|", "key a.b.1 «d»");
        check_yaml("a: {b: c,\n  d: {|", "key a.d «»");
        check_yaml("a: {b: c,\n  d: e}\nf|", "key  «f» -a");
        check_yaml("a: 'it''s {'\nb|", "key  «b» -a");
    }

    #[test]
    fn nothing_in_texts_and_comments() {
        check_yaml("message: ¦\n  some te|", "nothing");
        check_yaml("# a com|", "nothing");
        check_yaml("a: b # c|", "nothing");
        check_yaml("message: ¦\n  some {text\n\n  more\ntit|", "key  «tit» -message");
        check_toml("# a com|", "nothing");
        check_toml("a = [ # com|", "nothing");
    }

    #[test]
    fn settings() {
        check_toml("sel|", "key  «sel»");
        check_toml("select = [\"a\"]\nig|", "key  «ig» -select");
        check_toml("select = [\"a\", \"aws-|", "value select.1 \"«aws-»");
        check_toml("select = [\n  \"a\", # why, and \"what\n  |", "value select.1 «»");
        check_toml("unknown = \"w|", "value unknown \"«w»");
        check_toml("unknown = |", "value unknown «»");
        check_toml("[sev|", "header  «sev»");
        check_toml("[params.aws|", "header params «aws»");
        check_toml("[params.\"aws|", "header params \"«aws»");
        check_toml("[severity]\n\"aws-|", "key severity \"«aws-»");
        check_toml("[severity]\n\"aws-*\" = \"l|", "value severity.aws-* \"«l»");
        check_toml("[[per-path]]\npaths = []\n\n[[per-path]]\nignore = [\"|", "value per-path.1.ignore.0 \"«»");
        check_toml("[[per-path]]\npaths = []\nre|", "key per-path.0 «re» -paths");
        check_toml("[terraform]\nvars = { a = \"x\", b|", "key terraform.vars «b» -a");
        check_toml("terraform.work|", "key  «terraform.work»");
    }

    #[test]
    fn no_text_and_no_cursor_breaks_it() {
        let text = "a: [{b: \"c\n- - d:\n  |\n\u{1d11e}: '\n[x.\"y]]\n[[z\nq = [\"\"\"\n,},{=:\n  - -\n---\n\t-\n";
        for offset in (0..=text.len()).filter(|&i| text.is_char_boundary(i)) {
            for context in [yaml(text, offset), toml(text, offset)].into_iter().flatten() {
                assert!(context.start <= offset && text.is_char_boundary(context.start));
            }
        }
    }
}
