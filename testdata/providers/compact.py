#!/usr/bin/env python3
"""Writes the compact form of provider schemas that `stacklint policy test` checks policies' paths against.

    compact.py FOLDER > providers.txt.gz      FOLDER holds one JSON Lines file a provider, see README.md here

One line a kind, sorted:

    aws_s3_bucket acl:s bucket:s! versioning{enabled:b mfa_delete:b} … @legacy…

`name:t` is an attribute of type t (s string, n number, b bool, l list or set, m map, d dynamic), `!` behind it marks one that
only the provider sets; `name{…}` is a block or an object attribute, `name{*…}` one whose inside is not fully known, `name{^}` one
that is the same inside as the nearest enclosing block of its name; `~5.99.1` behind a name (or the kind) says in which version of the
provider it was last seen. Data sources are `data.kind`, a provider's own configuration is `provider.kind`.
"""
import gzip, json, pathlib, sys

LETTER = {"string": "s", "number": "n", "bool": "b", "dynamic": "d"}


def letter(type_name):
    return LETTER.get(type_name) or ("l" if type_name.startswith(("list", "set")) else "m")


def merge(node, legacy, version):
    """The parts of an older schema that the current one has not, marked with the version they were last seen in."""
    mark = f"~{version}"
    for name, a in (legacy.get("attributes") or {}).items():
        node.setdefault("old", {})[name] = f"{name}:{letter(a['type']) if isinstance(a.get('type'), str) else 'd'}{mark}"
    for name, b in (legacy.get("blocks") or {}).items():
        here = (node.get("blocks") or {}).get(name)
        if here is not None:
            merge(here, b, version)
        else:
            node.setdefault("old", {})[name] = f"{name}{{{'*' if b.get('open') else ''}{full(b)}}}{mark}"


def full(node):
    parts = {}
    for name, a in (node.get("attributes") or {}).items():
        computed_only = a.get("computed") and not a.get("optional") and not a.get("required")
        parts[name] = f"{name}:{letter(a['type']) if isinstance(a.get('type'), str) else 'd'}{'!' if computed_only else ''}"
    for name, b in (node.get("blocks") or {}).items():
        inner = "^" if b.get("recursive") else full(b)
        parts[name] = f"{name}{{{'*' if b.get('open') else ''}{inner}}}"
    parts.update({k: v for k, v in (node.get("old") or {}).items() if k not in parts})
    return " ".join(parts[k] for k in sorted(parts))


def absorb(node, other):
    for key in ("attributes", "blocks"):
        for name, value in (other.get(key) or {}).items():
            here = (node.setdefault(key, {}) or {}).get(name)
            if here is None:
                node[key][name] = value
            elif key == "blocks":
                absorb(here, value)


def main():
    kinds, legacy = {}, []
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jsonl*")):
        opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
        for line in opened:
            row = json.loads(line)
            prefix = {"resource": "", "data": "data.", "provider": "provider."}[row["mode"]]
            name = prefix + row["kind"]
            if "last_seen" in row:
                legacy.append((name, row))
            elif name in kinds:
                absorb(kinds[name], row)
            else:
                kinds[name] = row
    for name, row in legacy:
        if row.get("gone") == "kind" or name not in kinds:
            kinds.setdefault(name, row | {"gone_since": row["last_seen"]})
        else:
            merge(kinds[name], row, row["last_seen"])
    text = ""
    for name in sorted(kinds):
        row = kinds[name]
        mark = f"~{row['gone_since']}" if "gone_since" in row else ""
        text += f"{name}{mark} {full(row)}\n"
    sys.stdout.buffer.write(gzip.compress(text.encode(), 9, mtime=0))


main()
