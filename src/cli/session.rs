//! What all commands share: the configuration, the policies it chooses, and errors of the user's.

use super::args::{SelectionArgs, TerraformArgs};
use super::terminal::Terminal;
use crate::analysis::{Date, Settings};
use crate::base::{Files, Span};
use crate::config::{Config, ConfigError, Selector};
use crate::formats::Options;
use crate::graph::{Data, Map, Number, Value};
use crate::load::git::{GitError, Tree, Version};
use crate::load::{self, Exclude, IGNORE_FILES, Paths, Texts};
use crate::policy::{Choice, PolicySet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What stops a run.
#[derive(Debug)]
pub enum Problem {
    /// The configuration, with the place.
    Config(Box<ConfigError>),
    /// Anything else that the user can mend, with what to do.
    Usage(String, Option<String>),
    /// Standard output, or a file that was to be written.
    Io(std::io::Error),
}

impl Problem {
    pub fn usage(message: impl Into<String>) -> Problem {
        Problem::Usage(message.into(), None)
    }

    /// The message and what to do next.
    pub fn words(&self) -> (String, Option<String>) {
        match self {
            Problem::Config(error) => (error.to_string(), error.help.clone()),
            Problem::Usage(message, help) => (message.clone(), help.clone()),
            Problem::Io(error) => (format!("cannot write: {error}"), None),
        }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        Problem::Io(error)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Problem {
        Problem::Io(error.into())
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Problem {
        Problem::Config(Box::new(error))
    }
}

impl From<GitError> for Problem {
    fn from(error: GitError) -> Problem {
        Problem::Usage(error.to_string(), error.help())
    }
}

impl From<load::NotThere> for Problem {
    fn from(error: load::NotThere) -> Problem {
        Problem::usage(error.to_string())
    }
}

/// The working directory and what its configuration says.
pub struct Session {
    pub working_directory: PathBuf,
    pub config: Config,
    /// The folder of the configuration file.
    config_folder: PathBuf,
    /// The configuration file with its text.
    source: Option<(PathBuf, Arc<str>)>,
    /// The commit that configuration, ignore files and policies are read from; without one, from the disk.
    commit: Option<Arc<Tree>>,
}

impl Session {
    /// Finds and reads the configuration; what the command line says goes before it.
    pub fn new(args: &SelectionArgs) -> Result<Session, Problem> {
        let working_directory = std::env::current_dir()
            .map_err(|e| Problem::usage(format!("the working directory cannot be read: {e}")))?;
        Session::at(working_directory, args)
    }

    /// The same for a given working directory, such as the folder that an editor has open.
    pub fn at(working_directory: PathBuf, args: &SelectionArgs) -> Result<Session, Problem> {
        Session::in_version(working_directory, args, None)
    }

    /// The same as it was in a commit: the configuration, policies and ignore files of that time.
    pub fn in_commit(working_directory: PathBuf, args: &SelectionArgs, commit: Arc<Tree>) -> Result<Session, Problem> {
        Session::in_version(working_directory, args, Some(commit))
    }

    fn in_version(
        working_directory: PathBuf,
        args: &SelectionArgs,
        commit: Option<Arc<Tree>>,
    ) -> Result<Session, Problem> {
        let version = commit.as_deref().map_or(Version::Disk, Version::Commit);
        let path = match &args.config {
            Some(path) => Some(working_directory.join(path)),
            None if args.no_config => None,
            None => version.find_config(&working_directory),
        };
        let mut config = Config::default();
        let mut config_folder = working_directory.clone();
        let mut source = None;
        if let Some(path) = path {
            let shown = Paths::new(&working_directory, &[]).shown(&path);
            let text = version
                .read(&path)
                .map_err(|e| Problem::usage(format!("cannot read the configuration `{shown}`: {}", e.reason)))?;
            config = Config::parse(&shown, &text)?;
            if let Some(folder) = path.parent() {
                config_folder = folder.to_path_buf();
            }
            source = Some((path.clone(), text));
            if let Ok(below) = working_directory.strip_prefix(&config_folder) {
                config.below = below.to_string_lossy().replace('\\', "/");
            }
        }
        let parse = |texts: &[String]| -> Result<Vec<Selector>, Problem> {
            texts.iter().map(|t| Selector::parse(t).map_err(|e| Problem::Usage(e.message, Some(e.help)))).collect()
        };
        if !args.select.is_empty() {
            config.select = parse(&args.select)?;
        }
        config.ignore.extend(parse(&args.ignore)?);
        config.min_severity = args.min_severity.or(config.min_severity);
        Ok(Session { working_directory, config, config_folder, source, commit })
    }

    /// Where files that say how to check are read.
    pub fn version(&self) -> Version<'_> {
        self.commit.as_deref().map_or(Version::Disk, Version::Commit)
    }

    /// The configuration file with its text; `None` where there is none.
    pub fn source(&self) -> Option<&(PathBuf, Arc<str>)> {
        self.source.as_ref()
    }

    /// Every file and folder that says how to check, where the user has named it or runs in its folder: what
    /// [`Tree::naming`] wants.
    pub fn named(&self, selection: &SelectionArgs, terraform: &TerraformArgs) -> Vec<PathBuf> {
        let paths = Paths::new(&self.working_directory, &[]);
        let ignore_files = IGNORE_FILES.iter().map(|name| self.working_directory.join(name));
        let given = selection.config.iter().chain(&terraform.var_file).map(|path| paths.full(path));
        let configured = self.config.var_files.iter().map(|file| paths.full(&self.config_folder.join(file)));
        let folders = self.policy_folders().into_iter().map(|folder| paths.full(&folder));
        let source = self.source.iter().map(|(path, _)| path.clone());
        ignore_files.chain(given).chain(configured).chain(folders).chain(source).collect()
    }

    /// The texts of the configuration's own policies, by folder: what tells whether two versions have the same ones.
    pub fn policy_texts(&self) -> Result<Vec<Texts>, Problem> {
        let folders = self.config.policy_dirs.iter().map(|folder| self.config_folder.join(folder));
        folders.map(|folder| policy_texts(&folder, self.version())).collect()
    }

    /// The program's policies and those of the configuration's folders. Who writes policies for the program sets
    /// `STACKLINT_POLICIES` to the folder they are in, which is then read in place of the binary's table.
    pub fn policies(&self, terminal: &Terminal) -> Result<PolicySet, Problem> {
        let mut set = match std::env::var_os("STACKLINT_POLICIES") {
            Some(folder) if !folder.is_empty() => {
                load_policies(&self.working_directory.join(folder), Version::Disk, terminal)?
            }
            _ => PolicySet::builtin(),
        };
        for folder in self.policy_folders() {
            set.extend(load_policies(&folder, self.version(), terminal)?);
        }
        Ok(set)
    }

    /// The same without those policies that have a mistake, and the mistakes: for who goes on all the same, and shows them.
    pub fn sound_policies(&self) -> Result<(PolicySet, Vec<ConfigError>), Problem> {
        let mut mistakes = Vec::new();
        let mut set = PolicySet::builtin();
        for folder in self.policy_folders() {
            let (added, wrong) = compile_policies(&folder, self.version())?;
            set.extend(added);
            mistakes.extend(wrong);
        }
        Ok((set, mistakes))
    }

    /// The folders with policies of the user's own.
    pub fn policy_folders(&self) -> Vec<PathBuf> {
        self.config.policy_dirs.iter().map(|folder| self.config_folder.join(folder)).collect()
    }

    /// The paths that are left out.
    pub fn exclude(&self) -> Result<Exclude, Problem> {
        Exclude::new(&self.config_folder, &self.config.exclude)
            .map_err(|e| Problem::usage(format!("`exclude` in the configuration: {e}")))
    }

    /// Everything that holds for a run.
    pub fn settings(
        &self,
        policies: impl Into<Arc<PolicySet>>,
        terraform: &TerraformArgs,
        terminal: &Terminal,
    ) -> Result<Settings, Problem> {
        let policies: Arc<PolicySet> = policies.into();
        let config = &self.config;
        let words = |selectors: &[Selector]| selectors.iter().map(Selector::canonical).collect::<Vec<_>>();
        let choice = Choice {
            select: words(&config.select),
            extend: Vec::new(),
            ignore: words(&config.ignore),
            min_severity: config.min_severity,
            severity: config.severity.iter().map(|(s, severity)| (s.canonical(), *severity)).collect(),
            params: config
                .params
                .iter()
                .flat_map(|(policy, values)| values.iter().map(move |(name, v)| (policy, name, v)))
                .map(|(policy, name, v)| (policy.clone(), name.clone(), value_of(v)))
                .collect(),
        };
        let chosen = policies.choose(&choice).map_err(Problem::usage)?;
        let rules = crate::analysis::built_in_rules();
        for warning in &chosen.warnings {
            if !rules.iter().any(|r| warning.contains(&format!("`{}`", r.name))) {
                terminal.warn(warning);
            }
        }
        // A selection that means nothing is a mistake; one that only the severity empties is not.
        if chosen.policies.is_empty() && !config.select.is_empty() && !rules.iter().any(|r| config.wants(r)) {
            let any_severity = Choice { min_severity: None, ..choice };
            if policies.choose(&any_severity).map_err(Problem::usage)?.policies.is_empty() {
                return Err(Problem::Usage(
                    "the selection leaves no policy to run".to_owned(),
                    Some("`stacklint policies` lists all policies with their names and ids".to_owned()),
                ));
            }
        }
        Ok(Settings {
            options: self.options(terraform)?,
            policies,
            chosen: Arc::new(chosen),
            config: Arc::new(config.clone()),
            ignore_files: self.version().ignore_files(&self.working_directory),
            today: today(),
            ..Settings::default()
        })
    }

    /// How formats evaluate.
    pub fn options(&self, terraform: &TerraformArgs) -> Result<Options, Problem> {
        let paths = Paths::new(&self.working_directory, &[]);
        let mut vars = self.config.vars.clone();
        for var in &terraform.var {
            let Some((name, value)) = var.split_once('=') else {
                return Err(Problem::Usage(
                    format!("`--var {var}` has no value"),
                    Some(format!("write `--var {var}=VALUE`")),
                ));
            };
            vars.push((name.trim().to_owned(), value.to_owned()));
        }
        let configured = self.config.var_files.iter().map(|f| self.config_folder.join(f));
        let given = terraform.var_file.iter().map(|f| paths.full(f));
        let mut var_files = Vec::new();
        for file in configured.chain(given) {
            let shown = paths.shown(&paths.full(&file));
            if !self.version().is_file(&file) {
                // The commit may be older than the file.
                if self.commit.is_some() {
                    continue;
                }
                return Err(Problem::usage(format!("there is no variable file `{shown}`")));
            }
            var_files.push(shown);
        }
        Ok(Options {
            var_files,
            vars,
            workspace: terraform.workspace.clone().or_else(|| self.config.workspace.clone()),
            kubernetes_version: self.config.kubernetes_version.clone(),
        })
    }
}

fn policy_texts(folder: &Path, version: Version<'_>) -> Result<Texts, Problem> {
    version
        .policy_files(folder)
        .map_err(|(path, e)| Problem::usage(format!("cannot read the policies in `{}`: {}", path.display(), e.reason)))
}

/// Compiles the policies below a folder. Every mistake in one is shown with its place, and stops the run: a
/// policy that is silently missing would be worse than none.
pub fn load_policies(folder: &Path, version: Version<'_>, terminal: &Terminal) -> Result<PolicySet, Problem> {
    let (set, mistakes) = compile_policies(folder, version)?;
    for mistake in &mistakes {
        terminal.show(mistake);
    }
    if mistakes.is_empty() {
        return Ok(set);
    }
    let n = mistakes.len();
    Err(Problem::usage(format!(
        "{n} mistake{} in the policies of `{}`",
        if n == 1 { "" } else { "s" },
        folder.display()
    )))
}

/// The policies below a folder that are sound, and what is wrong with the others.
fn compile_policies(folder: &Path, version: Version<'_>) -> Result<(PolicySet, Vec<ConfigError>), Problem> {
    let mut files = Files::default();
    for (path, text) in policy_texts(folder, version)? {
        files.set(&path, text);
    }
    let (set, errors) = PolicySet::from_files(&files, "");
    let mistakes = errors.into_iter().filter_map(|error| {
        let file = files.get(error.span.file)?;
        Some(ConfigError {
            path: folder.join(&*file.path).to_string_lossy().into_owned(),
            text: file.text.to_string(),
            message: error.message,
            help: error.help,
            span: Some(error.span.range()),
        })
    });
    Ok((set, mistakes.collect()))
}

/// Today, in UTC.
pub fn today() -> Option<Date> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Date::from_unix(now.as_secs()))
}

/// A parameter's value as policies see values.
fn value_of(json: &serde_json::Value) -> Value {
    let data = match json {
        serde_json::Value::Null => Data::Null,
        serde_json::Value::Bool(b) => Data::Bool(*b),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(n) => Data::Number(Number::from(n)),
            None => Data::Number(Number::from(n.as_f64().unwrap_or(0.0))),
        },
        serde_json::Value::String(s) => Data::String(s.as_str().into()),
        serde_json::Value::Array(items) => Data::List(Arc::new(items.iter().map(value_of).collect())),
        serde_json::Value::Object(entries) => {
            let mut map = Map::default();
            for (key, value) in entries {
                map.insert(key.as_str(), Span::NONE, value_of(value));
            }
            Data::Map(Arc::new(map))
        }
    };
    Value::literal(data, Span::NONE)
}
