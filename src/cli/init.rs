//! `stacklint init`.

use super::Ending;
use super::args::InitArgs;
use super::check::write_file;
use super::session::Problem;
use crate::config::FILE_NAME;
use std::io::Write;

/// The configuration that a new user starts from: every setting, commented out, with what it does.
pub const TEMPLATE: &str = include_str!("stacklint.toml");

pub fn run(args: &InitArgs) -> Result<Ending, Problem> {
    let folder =
        std::env::current_dir().map_err(|e| Problem::usage(format!("the working directory cannot be read: {e}")))?;
    let path = folder.join(FILE_NAME);
    if path.exists() && !args.force {
        return Err(Problem::Usage(
            format!("there is already a {FILE_NAME} here"),
            Some("`stacklint init --force` replaces it".to_owned()),
        ));
    }
    write_file(&path, TEMPLATE.as_bytes())?;
    writeln!(std::io::stdout(), "{FILE_NAME} is written; every setting in it is commented out and explained")?;
    Ok(Ending::Clean)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::TEMPLATE;
    use crate::config::Config;

    #[test]
    fn the_template_is_valid_as_it_is_and_with_every_setting_turned_on() {
        Config::parse("stacklint.toml", TEMPLATE).unwrap();
        // Settings are commented with `#` alone, explanations with `# ` and a space.
        let on: String = TEMPLATE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let config = Config::parse("stacklint.toml", &on).unwrap();
        assert!(!config.select.is_empty() && !config.per_path.is_empty() && !config.params.is_empty());
        assert!(config.kubernetes_version.is_some() && !config.policy_dirs.is_empty());
    }
}
