//! A service as the pod that would run it, so that policies about containers reach it: the kind `compose-pod`.
//!
//! Values keep their places. What Docker does of itself and a cluster does not (its seccomp profile, no token of an API server) stands there as
//! a default. Ports that a service publishes and folders of the project that it mounts are no weakness there and are left out.

use crate::base::Span;
use crate::graph::{Data, How, Map, Origin, Resource, Value};
use std::sync::Arc;

/// The pod of a service.
pub fn of_service(service: &Resource) -> Resource {
    let head = service.head;
    let body = &service.body;
    let mut container = Build::new(head);
    container.put("name", Some(Value::string(service.name.clone(), head)));
    for (to, from) in
        [("image", "image"), ("command", "entrypoint"), ("args", "command"), ("workingDir", "working_dir")]
    {
        container.put(to, body.get(from).map(if to == "image" { Value::clone } else { words }));
    }
    container.put("imagePullPolicy", body.get("pull_policy").and_then(pull_policy));
    container.put("env", body.get("environment").map(environment));
    container.put("ports", body.get("ports").or_else(|| body.get("expose")).map(ports));
    container.put("securityContext", Some(security_context(body, head)));
    container.put("resources", resources(body, head));
    let probe = body.get("healthcheck").and_then(probe);
    container.put("livenessProbe", probe.clone());
    container.put("readinessProbe", probe);
    let (volumes, mounts) = volumes(body);
    container.put("volumeMounts", mounts);

    let mut spec = Build::new(head);
    for (field, from) in [("hostNetwork", "network_mode"), ("hostPID", "pid"), ("hostIPC", "ipc")] {
        spec.put(field, body.get(from).and_then(is_host));
    }
    spec.put("automountServiceAccountToken", Some(default(Data::Bool(false), head)));
    spec.put("restartPolicy", body.get("restart").and_then(restart));
    spec.put("volumes", volumes);
    spec.put("containers", Some(Value::list(vec![container.done()], head)));

    let mut metadata = Build::new(head);
    metadata.put("name", Some(Value::string(service.name.clone(), head)));
    metadata.put("labels", body.get("labels").cloned());
    metadata.put("annotations", body.get("annotations").cloned());

    let mut workload = Build::new(head);
    workload.put("kind", Some(Value::string(service.kind.clone(), head)));

    let mut pod = Build::new(head);
    pod.put("metadata", Some(metadata.done()));
    pod.put("spec", Some(spec.done()));
    pod.put("workload", Some(workload.done()));
    Resource { kind: "compose-pod".into(), body: pod.done(), ..service.clone() }
}

/// A map under construction.
struct Build {
    map: Map,
    at: Span,
}

impl Build {
    fn new(at: Span) -> Build {
        Build { map: Map::new(Some(at)), at }
    }

    /// Adds a field that is there.
    fn put(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value.filter(|v| !v.is_null()) {
            let span = if value.span().is_none() { self.at } else { value.span() };
            self.map.insert(name, span, value);
        }
    }

    fn done(self) -> Value {
        Value::map(self.map, self.at)
    }

    fn some(self) -> Option<Value> {
        (!self.map.entries.is_empty()).then(|| self.done())
    }
}

/// What holds because nothing else is said.
fn default(data: Data, at: Span) -> Value {
    Value { data, origin: Origin { how: How::Default, ..Origin::literal(at) } }
}

/// The same place with other data.
fn with(value: &Value, data: Data) -> Value {
    Value { data, origin: value.origin.clone() }
}

fn text_with(value: &Value, text: &str) -> Value {
    with(value, Data::String(text.into()))
}

/// A command line as a list of words: a string is split as a shell would.
fn words(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut quote, mut open) = (String::new(), None, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => (quote, open) = (Some(c), true),
            (None | Some('"'), '\\') => word.extend(chars.next()),
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    open = false;
                }
            }
            (_, c) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    with(value, Data::List(Arc::new(words.iter().map(|word| text_with(value, word)).collect())))
}

fn pull_policy(value: &Value) -> Option<Value> {
    match value.as_str() {
        Some("always") => Some(text_with(value, "Always")),
        Some("never") => Some(text_with(value, "Never")),
        Some("missing" | "if_not_present") => Some(text_with(value, "IfNotPresent")),
        _ => None,
    }
}

fn restart(value: &Value) -> Option<Value> {
    match value.as_str()? {
        "always" | "unless-stopped" => Some(text_with(value, "Always")),
        text if text.starts_with("on-failure") => Some(text_with(value, "OnFailure")),
        _ => None,
    }
}

fn is_host(value: &Value) -> Option<Value> {
    if value.as_unknown().is_some() {
        return Some(value.clone());
    }
    (value.as_str() == Some("host")).then(|| with(value, Data::Bool(true)))
}

/// `{NAME: value}` as `[{name, value}]`.
fn environment(value: &Value) -> Value {
    let Some(map) = value.as_map() else { return value.clone() };
    let variable = |entry: &crate::graph::Entry| {
        let mut item = Build::new(entry.key_span);
        item.put("name", Some(Value::string(entry.key.clone(), entry.key_span)));
        let scalar = entry.value.scalar_text().map(|text| text_with(&entry.value, &text));
        item.put("value", Some(scalar.unwrap_or_else(|| entry.value.clone())));
        item.done()
    };
    with(value, Data::List(Arc::new(map.entries.iter().map(variable).collect())))
}

/// The container's ports: `80`, `8080:80/udp`, `{target: 80}`.
fn ports(value: &Value) -> Value {
    let Some(list) = value.as_list() else { return value.clone() };
    let ports = list.iter().filter_map(|item| {
        let (number, protocol) = match item.as_map() {
            Some(map) => (map.get("target")?.clone(), map.get("protocol").cloned()),
            None => {
                let text = item.scalar_text()?;
                let (address, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
                let number: i64 = address.rsplit(':').next()?.parse().ok()?;
                (with(item, Data::Number(number.into())), Some(text_with(item, &protocol.to_ascii_uppercase())))
            }
        };
        let mut port = Build::new(item.span());
        port.put("containerPort", Some(number));
        port.put("protocol", protocol);
        Some(port.done())
    });
    with(value, Data::List(Arc::new(ports.collect())))
}

fn security_context(body: &Value, head: Span) -> Value {
    let mut context = Build::new(head);
    context.put("privileged", body.get("privileged").cloned());
    context.put("readOnlyRootFilesystem", body.get("read_only").cloned());
    let mut capabilities = Build::new(head);
    capabilities.put("add", body.get("cap_add").map(capability_names));
    capabilities.put("drop", body.get("cap_drop").map(capability_names));
    context.put("capabilities", capabilities.some());
    user(body, &mut context);
    let mut seccomp = default(Data::String("RuntimeDefault".into()), head);
    for option in body.get("security_opt").and_then(Value::as_list).unwrap_or(&[]) {
        let Some(text) = option.as_str() else { continue };
        let (name, setting) = text.split_once([':', '=']).unwrap_or((text, "true"));
        match (name, setting) {
            ("no-new-privileges", "true") => {
                context.put("allowPrivilegeEscalation", Some(with(option, Data::Bool(false))));
            }
            ("seccomp", "unconfined") => seccomp = text_with(option, "Unconfined"),
            ("seccomp", "builtin") => {}
            ("seccomp", _) => seccomp = text_with(option, "Localhost"),
            ("apparmor", "unconfined") => {
                let mut profile = Build::new(option.span());
                profile.put("type", Some(text_with(option, "Unconfined")));
                context.put("appArmorProfile", profile.some());
            }
            _ => {}
        }
    }
    let mut profile = Build::new(head);
    profile.put("type", Some(seccomp));
    context.put("seccompProfile", profile.some());
    context.done()
}

/// Capabilities in the API's spelling, which has no `CAP_`.
fn capability_names(value: &Value) -> Value {
    let Some(list) = value.as_list() else { return value.clone() };
    let name = |item: &Value| match item.as_str().and_then(|text| text.strip_prefix("CAP_")) {
        Some(short) => text_with(item, short),
        None => item.clone(),
    };
    with(value, Data::List(Arc::new(list.iter().map(name).collect())))
}

/// `user: uid[:gid]`, `user: name`.
fn user(body: &Value, context: &mut Build) {
    let Some(value) = body.get("user") else { return };
    let Some(text) = value.scalar_text() else {
        context.put("runAsUser", Some(value.clone()));
        return;
    };
    let (user, group) = text.split_once(':').map_or((&*text, None), |(user, group)| (user, Some(group)));
    let number = |text: &str| text.parse::<i64>().ok().map(|n| with(value, Data::Number(n.into())));
    match (user, number(user)) {
        ("root", _) => context.put("runAsUser", number("0")),
        (_, Some(id)) => context.put("runAsUser", Some(id)),
        // The name is looked up in the image: some user that is not root.
        (_, None) => context.put("runAsNonRoot", Some(with(value, Data::Bool(true)))),
    }
    context.put("runAsGroup", group.and_then(number));
}

fn resources(body: &Value, head: Span) -> Option<Value> {
    let deployed = |kind: &str, name: &str| body.at(&["deploy", "resources", kind, name]).cloned();
    let mut limits = Build::new(head);
    limits.put("cpu", deployed("limits", "cpus").or_else(|| body.get("cpus").cloned()));
    limits.put("memory", deployed("limits", "memory").or_else(|| body.get("mem_limit").cloned()));
    let mut requests = Build::new(head);
    requests.put("cpu", deployed("reservations", "cpus"));
    requests.put("memory", deployed("reservations", "memory").or_else(|| body.get("mem_reservation").cloned()));
    let mut resources = Build::new(head);
    resources.put("limits", limits.some());
    resources.put("requests", requests.some());
    resources.some()
}

fn probe(check: &Value) -> Option<Value> {
    let test = check.get("test")?;
    let off = check.get("disable").and_then(Value::as_bool) == Some(true)
        || test.as_str() == Some("NONE")
        || test.as_list().and_then(|t| t.first()).and_then(Value::as_str) == Some("NONE");
    if off {
        return None;
    }
    let mut command = Build::new(test.span());
    command.put("command", Some(words(test)));
    let mut probe = Build::new(check.span());
    probe.put("exec", command.some());
    probe.some()
}

/// The volumes of the pod and where the container mounts them.
fn volumes(body: &Value) -> (Option<Value>, Option<Value>) {
    let Some(value) = body.get("volumes") else { return (None, None) };
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    for (index, item) in value.as_list().unwrap_or(&[]).iter().enumerate() {
        let Some((source, target, read_only)) = mount(item) else { continue };
        let name = text_with(item, &format!("volume-{index}"));
        let mut volume = Build::new(item.span());
        volume.put("name", Some(name.clone()));
        match source.as_deref() {
            Some(path) if path.starts_with('/') => {
                let mut host = Build::new(item.span());
                host.put("path", Some(text_with(item, path)));
                volume.put("hostPath", host.some());
            }
            // Files of the project.
            Some(path) if path.starts_with(['.', '~']) => continue,
            Some(claim) => {
                let mut named = Build::new(item.span());
                named.put("claimName", Some(text_with(item, claim)));
                volume.put("persistentVolumeClaim", named.some());
            }
            None => volume.put("emptyDir", Some(Build::new(item.span()).done())),
        }
        volumes.push(volume.done());
        let mut at = Build::new(item.span());
        at.put("name", Some(name));
        at.put("mountPath", Some(text_with(item, &target)));
        at.put("readOnly", read_only.then(|| with(item, Data::Bool(true))));
        mounts.push(at.done());
    }
    let list = |items: Vec<Value>| (!items.is_empty()).then(|| with(value, Data::List(Arc::new(items))));
    (list(volumes), list(mounts))
}

/// Source, target and whether it is read-only, of `source:target:ro` or the long form.
fn mount(item: &Value) -> Option<(Option<String>, String, bool)> {
    if let Some(map) = item.as_map() {
        let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
        let read_only = map.get("read_only").and_then(Value::as_bool) == Some(true);
        let source = text("source").filter(|_| text("type").as_deref() != Some("tmpfs"));
        return Some((source, text("target")?, read_only));
    }
    let text = item.as_str()?;
    let mut parts = text.split(':');
    match (parts.next()?, parts.next(), parts.next()) {
        (target, None, _) => Some((None, target.to_owned(), false)),
        (source, Some(target), options) => {
            let read_only = options.is_some_and(|o| o.split(',').any(|o| o == "ro"));
            Some((Some(source.to_owned()), target.to_owned(), read_only))
        }
    }
}
