#![allow(clippy::unwrap_used)]

use super::*;
use crate::base::FileId;

/// Lowers the files and gives `address body` of each service.
fn services(files: &[(&str, &str)]) -> (Vec<(String, serde_json::Value)>, Vec<Lowered>) {
    let sources: Vec<Arc<SourceFile>> = files
        .iter()
        .enumerate()
        .map(|(i, (path, text))| {
            Arc::new(SourceFile::new(FileId(u32::try_from(i).unwrap()), (*path).into(), (*text).into()))
        })
        .collect();
    let claimed = sources.iter().filter(|f| Compose.claims(&f.path, &f.text));
    let inputs: Vec<Input> = claimed.map(|f| Input { file: f.clone(), parsed: Arc::new(Compose.parse(f)) }).collect();
    let by_id: FastMap<FileId, Input> = inputs.iter().map(|i| (i.file.id, i.clone())).collect();
    let options = Options::default();
    let read = |path: &str| sources.iter().find(|f| &*f.path == path).cloned();
    let cx = LowerContext { inputs: &by_id, options: &options, read: &read, list: &|_| Vec::new() };
    let lowered: Vec<Lowered> = Compose.units(&inputs, &options).iter().map(|u| Compose.lower(u, &cx)).collect();
    let found = lowered.iter().flat_map(|l| &l.resources).filter(|r| &*r.kind == "compose-service");
    let found = found.map(|r| (r.address.to_string(), r.body.to_json()));
    (found.collect(), lowered)
}

fn check(files: &[(&str, &str)], expected: &[(&str, serde_json::Value)]) {
    let found = services(files).0;
    let expected: Vec<(String, serde_json::Value)> =
        expected.iter().map(|(address, body)| ((*address).to_owned(), body.clone())).collect();
    assert_eq!(found, expected);
}

#[test]
fn files_are_known_by_name_and_services() {
    for (path, text, expected) in [
        ("docker-compose.yml", "services: {}\n", true),
        ("a/compose.prod.yaml", "version: '3'\nservices:\n  a: {}\n", true),
        ("docker-compose-dev.yml", "services:\n", true),
        ("composer.yaml", "services:\n", false),
        ("compose.yaml", "x: 1\n", false),
        ("services.yaml", "services:\n", false),
    ] {
        assert_eq!(Compose.claims(path, text), expected, "{path}");
    }
}

#[test]
fn shorthands_are_written_out() {
    let text = "services:\n  web:\n    build: ./web\n    environment:\n    - A=1\n    - B\n    - \"C=x=y\"\n    ports: [\"80:80\"]\n    depends_on: [db]\n  db: {image: postgres}\n";
    let (found, lowered) = services(&[("compose.yaml", text)]);
    assert_eq!(
        found[0],
        (
            "compose.yaml:web".into(),
            serde_json::json!({"build": {"context": "./web"}, "environment": {"A": "1", "B": null, "C": "x=y"}, "ports": ["80:80"], "depends_on": ["db"]})
        )
    );
    let web = &lowered[0].resources[0];
    let at = |name: &str| &text[web.body.at(&["environment", name]).unwrap().span().range()];
    assert_eq!((at("A"), at("C")), ("1", "x=y"));
    assert_eq!(&text[web.head.range()], "web");
    let edges: Vec<(u32, u32)> = lowered[0].edges.iter().map(|e| (e.from, e.to)).collect();
    assert_eq!(edges, [(0, 1), (2, 0), (3, 1)], "depends-on, then part-of");
}

#[test]
fn variables_come_from_the_environment_file_and_defaults() {
    check(
        &[
            (
                "a/docker-compose.yml",
                "services:\n  x:\n    image: web:${TAG:-1}\n    user: ${USER_ID}\n    privileged: ${P-true}\n    command: echo $$HOME ${NO:?must be set}\n    hostname: $HOST\n    labels: [\"a=${EMPTY:-e}\"]\n",
            ),
            ("a/.env", "# c\nTAG=2 # new\nHOST='h 1'\nEMPTY=\n"),
        ],
        &[(
            "a/docker-compose.yml:x",
            serde_json::json!({
                "image": "web:2",
                "user": {"$unknown": "the environment variable `USER_ID` has no value in `.env` and no default"},
                "privileged": true,
                "command": {"$unknown": "the environment variable `NO` has no value in `.env` and no default"},
                "hostname": "h 1",
                "labels": {"a": "e"},
            }),
        )],
    );
}

#[test]
fn overrides_and_extends_are_merged() {
    check(
        &[
            (
                "compose.yaml",
                "services:\n  a: {image: x, ports: ['1'], environment: {A: 1, B: 2}}\n  b: {extends: a, image: z, command: [q]}\n",
            ),
            ("compose.override.yaml", "services:\n  a: {ports: ['2'], environment: [B=3]}\n  c: {image: n}\n"),
            ("compose.prod.yaml", "services:\n  b: {restart: always, command: [r]}\n"),
        ],
        &[
            (
                "compose.prod.yaml:b",
                serde_json::json!({"image": "z", "ports": ["1"], "environment": {"A": 1, "B": 2}, "command": ["r"], "restart": "always"}),
            ),
            (
                "compose.yaml:a",
                serde_json::json!({"image": "x", "ports": ["1", "2"], "environment": {"A": 1, "B": "3"}}),
            ),
            (
                "compose.yaml:b",
                serde_json::json!({"image": "z", "ports": ["1"], "environment": {"A": 1, "B": 2}, "command": ["q"]}),
            ),
            ("compose.yaml:c", serde_json::json!({"image": "n"})),
        ],
    );
    check(
        &[
            ("a/compose.yaml", "services:\n  a: {extends: {service: b, file: ../common.yaml}, user: '1'}\n"),
            ("common.yaml", "services:\n  b: {image: x, user: '0'}\n"),
        ],
        &[("a/compose.yaml:a", serde_json::json!({"image": "x", "user": "1"}))],
    );
    let (_, lowered) = services(&[("compose.yaml", "services: {a: {extends: a, image: x}, b: {extends: no}}\n")]);
    let messages: Vec<&str> = lowered[0].ledger.iter().map(|l| l.message.as_str()).collect();
    assert_eq!(
        messages,
        ["too many `extends` follow one another", "the service `no` that is extended here is not there"]
    );
}

#[test]
fn a_service_is_a_pod_to_policies_about_containers() {
    let text = "services:
  web:
    image: nginx:1
    user: root:7
    privileged: true
    read_only: true
    cap_add: [CAP_NET_ADMIN]
    security_opt: [no-new-privileges:true, 'seccomp:unconfined']
    network_mode: host
    command: nginx -g 'daemon off;'
    environment: {PASSWORD: x}
    ports: ['127.0.0.1:80:8080']
    volumes: [/var/run/docker.sock:/s:ro, ./src:/app, data:/d]
    mem_limit: 1g
    healthcheck: {test: [CMD, 'true']}
";
    let (_, lowered) = services(&[("compose.yaml", text)]);
    let pod = &lowered[0].resources[1];
    assert_eq!((&*pod.kind, &*pod.address), ("compose-pod", "compose.yaml:web"));
    let probe = serde_json::json!({"exec": {"command": ["CMD", "true"]}});
    assert_eq!(
        pod.body.to_json(),
        serde_json::json!({
            "metadata": {"name": "web"},
            "workload": {"kind": "compose-service"},
            "spec": {
                "hostNetwork": true,
                "automountServiceAccountToken": false,
                "volumes": [
                    {"name": "volume-0", "hostPath": {"path": "/var/run/docker.sock"}},
                    {"name": "volume-2", "persistentVolumeClaim": {"claimName": "data"}},
                ],
                "containers": [{
                    "name": "web",
                    "image": "nginx:1",
                    "args": ["nginx", "-g", "daemon off;"],
                    "env": [{"name": "PASSWORD", "value": "x"}],
                    "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                    "securityContext": {
                        "privileged": true,
                        "readOnlyRootFilesystem": true,
                        "capabilities": {"add": ["NET_ADMIN"]},
                        "runAsUser": 0,
                        "runAsGroup": 7,
                        "allowPrivilegeEscalation": false,
                        "seccompProfile": {"type": "Unconfined"},
                    },
                    "resources": {"limits": {"memory": "1g"}},
                    "livenessProbe": probe,
                    "readinessProbe": probe,
                    "volumeMounts": [
                        {"name": "volume-0", "mountPath": "/s", "readOnly": true},
                        {"name": "volume-2", "mountPath": "/d"},
                    ],
                }],
            },
        })
    );
    let container = &pod.body.at(&["spec", "containers"]).unwrap().as_list().unwrap()[0];
    let at = |path: &[&str]| &text[container.at(path).unwrap().span().range()];
    assert_eq!((at(&["image"]), at(&["securityContext", "privileged"])), ("nginx:1", "true"));
    assert_eq!(at(&["securityContext", "runAsUser"]), "root:7");
}
