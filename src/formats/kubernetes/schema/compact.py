#!/usr/bin/env python3
"""Makes api.txt: what the Kubernetes API accepts, over all releases of the input, as one text.

    compact.py SCHEMAS REMOVALS > api.txt

SCHEMAS is the folder `kubernetes-json-schema` of the PyPI package kubernetes-validate (Apache-2.0), whose `vX.Y.Z-local/_definitions.json` are the
published OpenAPI definitions of Kubernetes. REMOVALS is a TSV of API versions that are gone: api_version, kind, first_seen, removed_in, replacement.
Only names and types are taken; no documentation.

The form, one thing a line:

    releases 1.25 1.37
    gone apps/v1beta1 Deployment 1.16 apps/v1     an API version that no release from 1.16 on serves, and what replaces it (or -)
    kind apps/v1 Deployment DeploymentObject      an object of the API and its type
    type Container                                a type; its fields follow (`open`: it has none that are known)
     name s!                                      a required string

Types: s string, b boolean, i integer, n number, p integer or string, q quantity, t time, y base64, o any object, * anything,
[T] list, {T} map, else the name of a type. Behind the type: `!` required, `^a,b` the keys by which elements of a list are merged, `+28` there since 1.28,
`-30` last there in 1.30.
"""
import json
import re
import sys

# The schemas know 1.11 and later, where some API versions were listed on; servers stopped serving these by default earlier.
EARLIER = {"apps/v1beta1": "1.16", "apps/v1beta2": "1.16", "extensions/v1beta1": "1.16"}
# Not written by people: what servers answer.
ANSWERS = re.compile(r"List$|^(APIGroup|APIResourceList|APIVersions|WatchEvent|Status|DeleteOptions|Scale|Binding|Eviction|TokenRequest|.*Review)$")
SPECIAL = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "p",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "o",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "o",
}


def load(folder, minor):
    with open(f"{folder}/v1.{minor}.0-local/_definitions.json") as file:
        data = json.load(file)
    return data.get("$defs") or data["definitions"]


def scalar(schema):
    kind = schema.get("type")
    return [k for k in kind if k != "null"][0] if isinstance(kind, list) else kind


def type_of(schema, refs, definitions):
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name not in SPECIAL and not {"type", "properties"} & definitions[name].keys():
            return "*"
        refs.append(name)
        return SPECIAL.get(name, "@" + name)
    kind = scalar(schema)
    if kind == "string":
        return {"byte": "y", "date-time": "t"}.get(schema.get("format"), "s")
    if kind == "array":
        return "[" + type_of(schema.get("items", {}), refs, definitions) + "]"
    if kind == "object":
        extra = schema.get("additionalProperties")
        return "{" + type_of(extra, refs, definitions) + "}" if isinstance(extra, dict) else "o"
    return {"boolean": "b", "integer": "i", "number": "n", None: "*"}[kind]


def main():
    folder, removals = sys.argv[1:3]
    minors = range(25, 38)
    kinds, types = {}, {}
    for minor in minors:
        definitions = load(folder, minor)
        wanted, seen = [], set()
        for name, schema in definitions.items():
            for gvk in schema.get("x-kubernetes-group-version-kind", []):
                if ANSWERS.search(gvk["kind"]) or "pkg.apis.meta" in name:
                    continue
                api = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
                kinds.setdefault((api, gvk["kind"]), []).append((minor, name))
                wanted.append(name)
        while wanted:
            name = wanted.pop()
            if name in seen or name in SPECIAL or name not in definitions:
                continue
            seen.add(name)
            schema = definitions[name]
            entry = types.setdefault(name, {"fields": {}, "minors": []})
            entry["minors"].append(minor)
            top = "x-kubernetes-group-version-kind" in schema
            if not schema.get("properties"):
                entry["open"] = True
            for field, inner in schema.get("properties", {}).items():
                refs = []
                if top and field in ("status", "apiVersion", "kind"):
                    written = "*" if field == "status" else "s"
                else:
                    written = type_of(inner, refs, definitions)
                wanted.extend(refs)
                keys = inner.get("x-kubernetes-list-map-keys") or []
                if not keys and inner.get("x-kubernetes-patch-merge-key"):
                    keys = [inner["x-kubernetes-patch-merge-key"]]
                merge = inner.get("x-kubernetes-patch-merge-key")
                if merge and merge in keys:
                    keys = [merge] + [k for k in keys if k != merge]
                slot = entry["fields"].setdefault(field, {"minors": [], "required": True})
                slot["minors"].append(minor)
                slot["type"], slot["keys"] = written, keys
                slot["required"] &= field in schema.get("required", [])
    # Short names: the last part, where only one type has it.
    by_short = {}
    for name in types:
        by_short.setdefault(name.rsplit(".", 1)[1], []).append(name)
    short = {}
    for part, names in by_short.items():
        for name in names:
            group, version = name.split(".")[-3:-1]
            short[name] = part if len(names) == 1 else f"{part}.{group}.{version}"
            if "apiextensions" in name and len(names) > 1:
                short[name] = f"{part}.apiextensions.{version}"
    assert len(set(short.values())) == len(short)
    print(f"releases 1.{minors[0]} 1.{minors[-1]}")
    with open(removals) as file:
        for line in list(file)[1:]:
            api, kind, _, removed, replacement = (line.rstrip("\n").split("\t") + [""] * 5)[:5]
            if kind == "Ingress" and api == "extensions/v1beta1":
                removed = "1.22"
            elif api in EARLIER:
                removed = EARLIER[api]
            if not ANSWERS.search(kind):
                print("gone", api, kind, removed, replacement or "-")
    for (api, kind), versions in sorted(kinds.items()):
        flags = span([m for m, _ in versions], minors)
        print("kind", api, kind, short[versions[-1][1]] + flags)
    for name in sorted(types, key=lambda n: short[n]):
        entry = types[name]
        print("type", short[name] + (" open" if entry.get("open") else ""))
        for field, slot in sorted(entry["fields"].items()):
            written = re.sub(r"@([\w.\-]+)", lambda m: short.get(m.group(1), "*"), slot["type"])
            flags = ("!" if slot["required"] else "") + ("^" + ",".join(slot["keys"]) if slot["keys"] else "")
            flags += span(slot["minors"], [m for m in minors if m in entry["minors"]])
            print(f" {field} {written}{flags}")


def span(there, releases):
    flags = "" if min(there) == min(releases) else f"+{min(there)}"
    return flags + ("" if max(there) == max(releases) else f"-{max(there)}")


main()
