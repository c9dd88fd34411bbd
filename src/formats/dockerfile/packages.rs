//! What a package manager's command line says: which manager, what it does, which packages at which versions, and whether
//! it would ask. Facts only; whether they are good is for policies.
//!
//! From the managers' own manuals: apt-get(8), apk(8), yum(8), dnf(8), zypper(8), pacman(8), pip, npm, yarn, pnpm, gem, go, cargo.

/// A package manager's command, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PackageCommand {
    /// `apt-get`, `apt`, `apk`, `yum`, `dnf`, `microdnf`, `tdnf`, `zypper`, `pacman`, `pip`, `npm`, `yarn`, `pnpm`, `gem`, `go`, `cargo`, …
    pub(super) manager: &'static str,
    /// `install`, `update`, `upgrade`, `dist-upgrade`, `remove`, `clean`, or the command's own word.
    pub(super) action: String,
    /// Whether it acts without asking.
    pub(super) assume_yes: bool,
    /// Whether the option that switches the cache off is given.
    pub(super) cache_off: bool,
    /// The packages, each with the index of its word.
    pub(super) items: Vec<Item>,
    /// Whether the versions come from a file (a lock file, requirements, constraints).
    pub(super) from_file: bool,
}

/// A package that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// Which argument says it.
    pub(super) word: usize,
    /// The name without the version.
    pub(super) name: String,
    /// The version or range.
    pub(super) version: Option<String>,
    /// `registry`, `file`, `url`, `vcs` or `group`.
    pub(super) source: &'static str,
    /// Whether what is installed is fixed, at least to a range.
    pub(super) pinned: bool,
}

/// What the managers of one family have in common.
struct Family {
    manager: &'static str,
    /// Options that take the next word.
    valued: &'static [&'static str],
    /// Options that answer yes.
    yes: &'static [&'static str],
    /// Options that keep nothing in the cache.
    no_cache: &'static [&'static str],
    actions: &'static [(&'static str, &'static str)],
}

const APT_ACTIONS: &[(&str, &str)] = &[
    ("install", "install"),
    ("reinstall", "install"),
    ("build-dep", "build-dep"),
    ("update", "update"),
    ("upgrade", "upgrade"),
    ("full-upgrade", "dist-upgrade"),
    ("dist-upgrade", "dist-upgrade"),
    ("remove", "remove"),
    ("purge", "remove"),
    ("autoremove", "remove"),
    ("clean", "clean"),
    ("autoclean", "clean"),
    ("dist-clean", "dist-clean"),
];
const APT_VALUED: &[&str] = &[
    "-t",
    "--target-release",
    "--default-release",
    "-o",
    "--option",
    "-c",
    "--config-file",
    "-a",
    "--host-architecture",
    "-P",
    "--build-profiles",
];
const APT_YES: &[&str] = &["-y", "--yes", "--assume-yes"];
const YUM_ACTIONS: &[(&str, &str)] = &[
    ("install", "install"),
    ("localinstall", "install"),
    ("reinstall", "install"),
    ("downgrade", "install"),
    ("swap", "install"),
    ("groupinstall", "install"),
    ("group", "group"),
    ("module", "module"),
    ("update", "update"),
    ("upgrade", "upgrade"),
    ("update-minimal", "update"),
    ("upgrade-minimal", "upgrade"),
    ("distro-sync", "dist-upgrade"),
    ("makecache", "makecache"),
    ("check-update", "check-update"),
    ("builddep", "build-dep"),
    ("remove", "remove"),
    ("erase", "remove"),
    ("autoremove", "remove"),
    ("clean", "clean"),
];
const YUM_VALUED: &[&str] = &[
    "-c",
    "--config",
    "-x",
    "--exclude",
    "--excludepkgs",
    "--installroot",
    "--releasever",
    "--enablerepo",
    "--disablerepo",
    "--repo",
    "--repoid",
    "--setopt",
    "-d",
    "-e",
    "--downloaddir",
    "--comment",
    "--forcearch",
    "--rpmverbosity",
    "--nodocs=",
];
const YUM_YES: &[&str] = &["-y", "--assumeyes"];

const FAMILIES: &[Family] = &[
    Family { manager: "apt-get", valued: APT_VALUED, yes: APT_YES, no_cache: &[], actions: APT_ACTIONS },
    Family { manager: "apt", valued: APT_VALUED, yes: APT_YES, no_cache: &[], actions: APT_ACTIONS },
    Family { manager: "aptitude", valued: APT_VALUED, yes: APT_YES, no_cache: &[], actions: APT_ACTIONS },
    Family {
        manager: "apk",
        valued: &[
            "-X",
            "--repository",
            "-t",
            "--virtual",
            "-p",
            "--root",
            "--arch",
            "--keys-dir",
            "--repositories-file",
            "--wait",
            "--cache-dir",
            "--cache-max-age",
            "--progress-fd",
        ],
        yes: &[],
        no_cache: &["--no-cache"],
        actions: &[
            ("add", "install"),
            ("update", "update"),
            ("upgrade", "upgrade"),
            ("fix", "fix"),
            ("del", "remove"),
            ("cache", "clean"),
        ],
    },
    Family { manager: "yum", valued: YUM_VALUED, yes: YUM_YES, no_cache: &[], actions: YUM_ACTIONS },
    Family { manager: "dnf", valued: YUM_VALUED, yes: YUM_YES, no_cache: &[], actions: YUM_ACTIONS },
    Family { manager: "dnf5", valued: YUM_VALUED, yes: YUM_YES, no_cache: &[], actions: YUM_ACTIONS },
    Family { manager: "microdnf", valued: YUM_VALUED, yes: YUM_YES, no_cache: &[], actions: YUM_ACTIONS },
    Family { manager: "tdnf", valued: YUM_VALUED, yes: YUM_YES, no_cache: &[], actions: YUM_ACTIONS },
    Family {
        manager: "zypper",
        valued: &[
            "-r",
            "--repo",
            "-R",
            "--root",
            "-t",
            "--type",
            "--from",
            "-p",
            "--plus-repo",
            "-c",
            "--config",
            "--download",
            "-D",
            "--reposd-dir",
        ],
        yes: &["-n", "--non-interactive", "-y", "--no-confirm"],
        no_cache: &[],
        actions: &[
            ("install", "install"),
            ("in", "install"),
            ("update", "upgrade"),
            ("up", "upgrade"),
            ("patch", "upgrade"),
            ("dist-upgrade", "dist-upgrade"),
            ("dup", "dist-upgrade"),
            ("refresh", "update"),
            ("ref", "update"),
            ("remove", "remove"),
            ("rm", "remove"),
            ("source-install", "source-install"),
            ("si", "source-install"),
            ("clean", "clean"),
            ("cc", "clean"),
        ],
    },
    Family {
        manager: "pip",
        valued: &[
            "-r",
            "--requirement",
            "-c",
            "--constraint",
            "-e",
            "--editable",
            "-i",
            "--index-url",
            "--extra-index-url",
            "-f",
            "--find-links",
            "-t",
            "--target",
            "--prefix",
            "--root",
            "--platform",
            "--python-version",
            "--implementation",
            "--abi",
            "--trusted-host",
            "--proxy",
            "--cert",
            "--client-cert",
            "--cache-dir",
            "--log",
            "--timeout",
            "--retries",
            "--no-binary",
            "--only-binary",
            "--src",
            "--progress-bar",
            "--upgrade-strategy",
            "--global-option",
            "--install-option",
            "--config-settings",
            "--exists-action",
            "--report",
            "--root-user-action",
            "--python",
            "--build-option",
            "-b",
            "--build",
            "-d",
            "--dest",
        ],
        yes: &[],
        no_cache: &["--no-cache-dir", "--no-cache"],
        actions: &[
            ("install", "install"),
            ("download", "download"),
            ("wheel", "wheel"),
            ("uninstall", "remove"),
            ("cache", "clean"),
        ],
    },
    Family {
        manager: "npm",
        valued: &[
            "--registry",
            "--prefix",
            "--loglevel",
            "-C",
            "--cache",
            "--userconfig",
            "--tag",
            "--workspace",
            "-w",
            "--omit",
            "--include",
            "--unsafe-perm=",
            "--otp",
            "--install-strategy",
            "--before",
            "--cpu",
            "--os",
        ],
        yes: &[],
        no_cache: &[],
        actions: &[
            ("install", "install"),
            ("i", "install"),
            ("add", "install"),
            ("ci", "ci"),
            ("update", "upgrade"),
            ("uninstall", "remove"),
            ("cache", "clean"),
        ],
    },
    Family {
        manager: "yarn",
        valued: &["--registry", "--cwd", "--modules-folder", "--cache-folder", "--network-timeout", "--mutex"],
        yes: &[],
        no_cache: &[],
        actions: &[
            ("install", "install"),
            ("add", "install"),
            ("global", "global"),
            ("remove", "remove"),
            ("cache", "clean"),
        ],
    },
    Family {
        manager: "pnpm",
        valued: &["--registry", "-C", "--dir", "--filter"],
        yes: &[],
        no_cache: &[],
        actions: &[
            ("install", "install"),
            ("i", "install"),
            ("add", "install"),
            ("remove", "remove"),
            ("store", "clean"),
        ],
    },
    Family {
        manager: "gem",
        valued: &[
            "-v",
            "--version",
            "-i",
            "--install-dir",
            "-n",
            "--bindir",
            "-s",
            "--source",
            "-P",
            "--trust-policy",
            "-p",
            "--http-proxy",
            "--platform",
            "-B",
            "--bulk-threshold",
            "-g",
            "--file",
            "--build-root",
            "--document",
        ],
        yes: &[],
        no_cache: &[],
        actions: &[
            ("install", "install"),
            ("i", "install"),
            ("update", "upgrade"),
            ("uninstall", "remove"),
            ("cleanup", "clean"),
            ("build", "build"),
        ],
    },
    Family {
        manager: "go",
        valued: &[
            "-ldflags",
            "-gcflags",
            "-asmflags",
            "-tags",
            "-mod",
            "-modfile",
            "-o",
            "-p",
            "-C",
            "-exec",
            "-toolexec",
            "-pkgdir",
            "-overlay",
            "-buildmode",
            "-compiler",
            "-installsuffix",
        ],
        yes: &[],
        no_cache: &[],
        actions: &[("install", "install"), ("get", "get"), ("run", "run"), ("clean", "clean")],
    },
    Family {
        manager: "cargo",
        valued: &[
            "--version",
            "--vers",
            "--git",
            "--branch",
            "--tag",
            "--rev",
            "--path",
            "--registry",
            "--index",
            "--root",
            "--features",
            "-F",
            "--bin",
            "--example",
            "--target",
            "--profile",
            "-j",
            "--jobs",
            "--config",
            "--target-dir",
            "-Z",
        ],
        yes: &[],
        no_cache: &[],
        actions: &[("install", "install"), ("add", "add"), ("update", "update")],
    },
    Family {
        manager: "conda",
        valued: &["-c", "--channel", "-n", "--name", "-p", "--prefix", "-f", "--file"],
        yes: &["-y", "--yes"],
        no_cache: &[],
        actions: &[
            ("install", "install"),
            ("create", "create"),
            ("update", "upgrade"),
            ("clean", "clean"),
            ("remove", "remove"),
        ],
    },
];

/// Reads a command; `None` where it is no package manager's. `texts` are its words, the command's name first.
pub(super) fn parse(name: &str, texts: &[String]) -> Option<PackageCommand> {
    let (manager, first) = manager_of(name, texts)?;
    if manager == "pacman" {
        return Some(pacman(texts));
    }
    let family = FAMILIES.iter().find(|f| f.manager == manager)?;
    let mut words: Vec<(usize, &str)> = Vec::new();
    let mut options: Vec<(&str, Option<&str>)> = Vec::new();
    let mut i = first;
    while let Some(text) = texts.get(i) {
        if text == "--" {
            // What follows `--` are a gem's build options; for the others, names.
            if manager == "gem" {
                break;
            }
            i += 1;
            continue;
        }
        if text.len() > 1 && text.starts_with('-') {
            let (option, value) = match text.split_once('=') {
                Some((option, value)) => (option, Some(value)),
                None => (text.as_str(), None),
            };
            let takes_next = value.is_none() && takes_value(family, option);
            let next = texts.get(i + 1).map(String::as_str);
            options.push((option, if takes_next { next } else { value }));
            i += if takes_next { 2 } else { 1 };
            continue;
        }
        words.push((i, text.as_str()));
        i += 1;
    }
    let word = words.first().map_or("", |(_, w)| w);
    let mut action = family.actions.iter().find(|(w, _)| *w == word).map_or(word, |(_, a)| a).to_owned();
    let mut rest = words.get(1..).unwrap_or(&[]);
    let mut module = false;
    if matches!(action.as_str(), "module" | "group" | "global") {
        module = action == "module";
        let inner = rest.first().map_or("", |(_, w)| w);
        action = match inner {
            "install" | "add" => "install".to_owned(),
            other => format!("{action} {other}"),
        };
        rest = rest.get(1..).unwrap_or(&[]);
    }
    if manager == "yarn" && word.is_empty() && options.iter().all(|(o, _)| !matches!(*o, "--version" | "-v" | "--help"))
    {
        "install".clone_into(&mut action);
    }
    if action == "clean" && matches!(manager, "apk" | "npm" | "yarn" | "pip" | "pnpm") {
        let inner = rest.first().map_or("", |(_, w)| w);
        if !matches!(inner, "clean" | "purge" | "prune" | "verify") {
            action = format!("cache {inner}");
        }
    }
    let has = |names: &[&str]| options.iter().any(|(o, _)| names.contains(o));
    let assume_yes = has(family.yes) || short_yes(manager, &options) || quiet_enough(manager, &options);
    let version_option = options.iter().find(|(o, _)| match manager {
        "gem" => matches!(*o, "-v" | "--version"),
        "cargo" => matches!(*o, "--version" | "--vers" | "--rev" | "--tag" | "--path"),
        _ => false,
    });
    let from_file = options.iter().any(|(o, _)| match manager {
        "pip" => matches!(*o, "-r" | "--requirement" | "-c" | "--constraint"),
        "conda" => matches!(*o, "-f" | "--file"),
        _ => false,
    }) || options.iter().any(|(o, _)| {
        // `-rrequirements.txt` holds its value.
        manager == "pip" && (o.starts_with("-r") || o.starts_with("-c")) && !o.starts_with("--")
    });
    let mut items: Vec<Item> = Vec::new();
    for &(index, text) in rest {
        // What follows the package are the arguments of the program that `go run` starts.
        if manager == "go" && action == "run" && !items.is_empty() {
            break;
        }
        // A word that an unknown option of gem may have taken.
        if manager == "gem" && text.parse::<bool>().is_ok() {
            continue;
        }
        items.push(item(manager, index, text, module));
    }
    if let Some((_, version)) = version_option {
        // gem refuses one version for several gems: it belongs to the first.
        for item in items.iter_mut().take(if manager == "gem" { 1 } else { usize::MAX }) {
            item.pinned = true;
            item.version = version.map(str::to_owned);
        }
    }
    if manager == "pip" {
        // Editable installs name their package in the option's value.
        for (at, text) in texts.iter().enumerate() {
            if matches!(text.as_str(), "-e" | "--editable")
                && let Some(value) = texts.get(at + 1)
            {
                items.push(item(manager, at + 1, value, false));
            }
        }
    }
    let cache_off = has(family.no_cache);
    Some(PackageCommand { manager, action, assume_yes, cache_off, items, from_file })
}

/// The manager that a command is, and where its arguments begin.
fn manager_of(name: &str, texts: &[String]) -> Option<(&'static str, usize)> {
    let is_python =
        |n: &str| n.strip_prefix("python").is_some_and(|v| v.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if is_python(name) {
        let module = texts.iter().position(|t| t == "-m")?;
        return matches!(texts.get(module + 1).map(String::as_str), Some("pip" | "pip3"))
            .then_some(("pip", module + 2));
    }
    if name.strip_prefix("pip").is_some_and(|v| v.bytes().all(|b| b.is_ascii_digit() || b == b'.')) {
        return Some(("pip", 1));
    }
    if matches!(name, "mamba" | "micromamba") {
        return Some(("conda", 1));
    }
    if name == "pacman" {
        return Some(("pacman", 1));
    }
    FAMILIES.iter().find(|f| f.manager == name).map(|f| (f.manager, 1))
}

fn takes_value(family: &Family, option: &str) -> bool {
    if family.valued.contains(&option) {
        return true;
    }
    // Short options run together: the last of `-qqt` may take a value. Only apt-get and zypper have such habits.
    family.manager.starts_with("apt")
        && option.len() > 2
        && !option.starts_with("--")
        && option.chars().last().is_some_and(|c| matches!(c, 't' | 'c'))
        && option.chars().skip(1).all(|c| c.is_ascii_alphabetic())
        && option != "-oDpkg"
}

/// Short options may run together: `-fmy`, `-yqq`.
fn short_yes(manager: &str, options: &[(&str, Option<&str>)]) -> bool {
    let letter = match manager {
        "apt-get" | "apt" | "aptitude" | "yum" | "dnf" | "dnf5" | "microdnf" | "tdnf" | "conda" => 'y',
        "zypper" => 'n',
        _ => return false,
    };
    options
        .iter()
        .any(|(o, _)| !o.starts_with("--") && o.chars().skip(1).all(|c| c.is_ascii_alphabetic()) && o.contains(letter))
}

/// apt-get takes a second `-q` (or `-q=2`) as yes. (apt-get(8), "-qq implies -y".)
fn quiet_enough(manager: &str, options: &[(&str, Option<&str>)]) -> bool {
    if !manager.starts_with("apt") {
        return false;
    }
    let mut level = 0_usize;
    for (option, value) in options {
        let count = match *option {
            "--quiet" => 1,
            o if !o.starts_with("--") && o.chars().skip(1).all(|c| c.is_ascii_alphabetic()) => o.matches('q').count(),
            _ => 0,
        };
        match value.and_then(|v| v.parse::<usize>().ok()) {
            Some(n) if count == 1 => level = level.max(n),
            _ => level += count,
        }
    }
    level >= 2
}

/// pacman's actions are options: `-S`, `-Syu`, `-Scc`, `-R`.
fn pacman(texts: &[String]) -> PackageCommand {
    let mut action = String::new();
    let mut assume_yes = false;
    let mut items = Vec::new();
    for (i, text) in texts.iter().enumerate().skip(1) {
        match text.as_str() {
            "--noconfirm" => assume_yes = true,
            "--sync" => "install".clone_into(&mut action),
            "--remove" => "remove".clone_into(&mut action),
            long if long.starts_with("--") => {}
            short if short.starts_with('-') => {
                let letters = short.get(1..).unwrap_or("");
                if letters.contains('S') {
                    action = if letters.contains('c') {
                        "clean"
                    } else if letters.contains('u') {
                        "upgrade"
                    } else if letters.contains('y') {
                        "update"
                    } else {
                        "install"
                    }
                    .to_owned();
                } else if letters.contains('R') {
                    "remove".clone_into(&mut action);
                } else if letters.contains('U') {
                    "install".clone_into(&mut action);
                }
            }
            name => items.push(item("pacman", i, name, false)),
        }
    }
    // `-Sy name` and `-Syu name` install too; by themselves they only bring the lists up to date.
    if !items.is_empty() && matches!(action.as_str(), "update" | "upgrade") {
        "install".clone_into(&mut action);
    }
    if items.is_empty() && action == "upgrade" && texts.iter().any(|t| t.starts_with("-S") && t.contains('y')) {
        "update".clone_into(&mut action);
    }
    PackageCommand { manager: "pacman", action, assume_yes, cache_off: false, items, from_file: false }
}

fn has_extension(text: &str, extensions: &[&str]) -> bool {
    let end = text.split(['#', '?']).next().unwrap_or(text);
    extensions.iter().any(|e| end.len() > e.len() && end.ends_with(e))
}

fn is_path(text: &str) -> bool {
    text == "."
        || text == ".."
        || text.starts_with(['/', '~'])
        || text.starts_with("./")
        || text.starts_with("../")
        || text.starts_with(".[")
}

/// What one argument asks for.
fn item(manager: &str, word: usize, text: &str, module: bool) -> Item {
    let fixed = |source: &'static str| Item { word, name: text.to_owned(), version: None, source, pinned: true };
    let at = |split: Option<(&str, &str)>| match split {
        Some((name, version)) if !name.is_empty() => Item {
            word,
            name: name.to_owned(),
            version: Some(version.to_owned()),
            source: "registry",
            pinned: !version.is_empty(),
        },
        _ => Item { word, name: text.to_owned(), version: None, source: "registry", pinned: false },
    };
    match manager {
        "apt-get" | "apt" | "aptitude" => {
            if has_extension(text, &[".deb"]) || is_path(text) {
                return fixed("file");
            }
            at(text.split_once('='))
        }
        "apk" => {
            if has_extension(text, &[".apk"]) || is_path(text) {
                return fixed("file");
            }
            at(text
                .find(['=', '~', '<', '>'])
                .and_then(|n| Some((text.get(..n)?, text.get(n..)?.trim_start_matches(['=', '~', '<', '>'])))))
        }
        "yum" | "dnf" | "dnf5" | "microdnf" | "tdnf" => {
            if has_extension(text, &[".rpm"]) {
                return fixed(if text.contains("://") { "url" } else { "file" });
            }
            if is_path(text) || text.contains("://") {
                return fixed(if text.contains("://") { "url" } else { "file" });
            }
            if let Some(group) = text.strip_prefix('@') {
                return Item { source: "group", ..at(group.split_once(':')) };
            }
            if module {
                return at(text.split_once(':'));
            }
            // `name-version`: the version begins with a digit, perhaps behind an epoch.
            let dash =
                text.match_indices('-').find(|(n, _)| text.as_bytes().get(n + 1).is_some_and(u8::is_ascii_digit));
            match dash {
                Some((n, _)) => at(Some((text.get(..n).unwrap_or(""), text.get(n + 1..).unwrap_or("")))),
                // `name-$version`: what is not known follows a dash.
                None if text.contains(&format!("-{}", super::image::HOLE)) => at(text.rsplit_once('-')),
                None => at(None),
            }
        }
        "zypper" => {
            if has_extension(text, &[".rpm"]) || is_path(text) {
                return fixed("file");
            }
            at(text
                .find(['=', '<', '>'])
                .and_then(|n| Some((text.get(..n)?, text.get(n..)?.trim_start_matches(['=', '<', '>'])))))
        }
        "pip" => pip_item(word, text),
        "npm" | "yarn" | "pnpm" => npm_item(word, text),
        "gem" => {
            if has_extension(text, &[".gem"]) {
                return fixed("file");
            }
            at(text.split_once(':'))
        }
        "go" => {
            if is_path(text) || has_extension(text, &[".go"]) {
                return fixed("file");
            }
            let mut found = at(text.split_once('@'));
            found.pinned &= found.version.as_deref() != Some("latest");
            found
        }
        "cargo" => at(text.split_once('@')),
        "conda" => at(text.split_once('=').map(|(n, v)| (n, v.trim_start_matches('=')))),
        _ => at(None),
    }
}

fn pip_item(word: usize, text: &str) -> Item {
    let base = Item { word, name: text.to_owned(), version: None, source: "registry", pinned: false };
    if let Some(rest) = ["git+", "hg+", "svn+", "bzr+"].iter().find_map(|p| text.strip_prefix(p)) {
        // A revision stands behind an `@` in the last part of the path.
        let last = rest.split('#').next().unwrap_or(rest).rsplit('/').next().unwrap_or("");
        let version = last.split_once('@').map(|(_, v)| v.to_owned());
        return Item { source: "vcs", pinned: version.is_some(), version, ..base };
    }
    if text.contains("://") {
        return Item { source: "url", pinned: true, ..base };
    }
    if is_path(text) || has_extension(text, &[".whl", ".tar.gz", ".zip", ".tar.bz2"]) {
        return Item { source: "file", pinned: true, ..base };
    }
    if let Some((name, url)) = text.split_once('@')
        && url.contains("://")
    {
        return Item { name: name.trim().to_owned(), source: "url", pinned: true, ..base };
    }
    match text.find(['=', '<', '>', '!', '~']) {
        Some(n) => {
            let name = text.get(..n).unwrap_or("").trim().to_owned();
            let version = text.get(n..).unwrap_or("").trim_start_matches(['=', '<', '>', '!', '~']).trim();
            Item { name, pinned: !version.is_empty(), version: Some(version.to_owned()), ..base }
        }
        None => base,
    }
}

fn npm_item(word: usize, text: &str) -> Item {
    let base = Item { word, name: text.to_owned(), version: None, source: "registry", pinned: false };
    if ["git+", "git://", "git@", "github:", "gitlab:", "bitbucket:", "gist:"].iter().any(|p| text.starts_with(p)) {
        let version = text.split_once('#').map(|(_, v)| v.to_owned());
        return Item { source: "vcs", pinned: version.is_some(), version, ..base };
    }
    if text.contains("://") {
        return Item { source: "url", pinned: true, ..base };
    }
    if is_path(text) || text.starts_with("file:") || has_extension(text, &[".tar", ".tar.gz", ".tgz"]) {
        return Item { source: "file", pinned: true, ..base };
    }
    // The `@` of a scope is no version's.
    let from = usize::from(text.starts_with('@'));
    match text.get(from..).and_then(|t| t.find('@')) {
        Some(n) => {
            let name = text.get(..from + n).unwrap_or("").to_owned();
            let version = text.get(from + n + 1..).unwrap_or("").to_owned();
            Item { name, pinned: !version.is_empty(), version: Some(version), ..base }
        }
        None => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let texts: Vec<String> = line.split(' ').map(|t| t.replace('_', " ")).collect();
        let got = parse(&texts[0], &texts).map_or("none".to_owned(), |c| {
            let items: String = c
                .items
                .iter()
                .map(|i| {
                    format!(
                        " {}@{}:{}{}",
                        i.name,
                        i.version.as_deref().unwrap_or("-"),
                        i.source,
                        if i.pinned { "" } else { "!" }
                    )
                })
                .collect();
            let flags = format!(
                "{}{}{}",
                if c.assume_yes { " yes" } else { "" },
                if c.cache_off { " nocache" } else { "" },
                if c.from_file { " file" } else { "" }
            );
            format!("{} {}{flags};{items}", c.manager, c.action)
        });
        assert_eq!(got, expected, "{line}");
    }

    #[test]
    fn commands_of_package_managers() {
        check(
            "apt-get -yqq --no-install-recommends install nodejs=0.10 x",
            "apt-get install yes; nodejs@0.10:registry x@-:registry!",
        );
        check("apt-get install -t jessie-backports -o A=b ./x.deb", "apt-get install; ./x.deb@-:file");
        check("apt-get install -q -q x", "apt-get install yes; x@-:registry!");
        check(
            "apk add --no-cache -X http://x --virtual .b a=1 b~=2 c",
            "apk install nocache; a@1:registry b@2:registry c@-:registry!",
        );
        check(
            "yum -y install tomcat-9.2 gcc-c++ https://x/y.rpm",
            "yum install yes; tomcat@9.2:registry gcc-c++@-:registry! https://x/y.rpm@-:url",
        );
        check("yum module install -y tomcat:9", "yum install yes; tomcat@9:registry");
        check("zypper -n in a>=1 b", "zypper install yes; a@1:registry b@-:registry!");
        check("pacman -Syu --noconfirm", "pacman update yes;");
        check("pacman -S x", "pacman install; x@-:registry!");
        check(
            "python3 -m pip install --no-cache-dir -r req.txt a==1 git+https://x/y@v1 .",
            "pip install nocache file; a@1:registry git+https://x/y@v1@v1:vcs .@-:file",
        );
        check(
            "npm install -g @a/b @a/b@1 c@2 git://x#v1 --registry http://x",
            "npm install; @a/b@-:registry! @a/b@1:registry c@2:registry git://x#v1@v1:vcs",
        );
        check("gem install a:1 b -- --with-x", "gem install; a@1:registry b@-:registry!");
        check("gem install a -v 2", "gem install; a@2:registry");
        check("go install a/b@latest ./c", "go install; a/b@latest:registry! ./c@-:file");
        check("go run a/b@v1 --foo bar", "go run; a/b@v1:registry");
        check("yarn", "yarn install;");
        check("yarn cache clean", "yarn clean; clean@-:registry!");
        check("cargo install x --version 1", "cargo install; x@1:registry");
        check("ls -l", "none");
    }
}
