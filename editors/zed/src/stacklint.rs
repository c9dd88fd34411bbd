//! Starts `stacklint lsp` in Zed: the program from the settings, else the first on the `PATH` of the worktree's shell.

use zed_extension_api::{self as zed, settings::LspSettings, Command, LanguageServerId, Result, Worktree};

/// The name of the server in Zed's settings, and of the program.
const NAME: &str = "stacklint";

struct Stacklint;

impl zed::Extension for Stacklint {
    fn new() -> Self {
        Stacklint
    }

    fn language_server_command(&mut self, _: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let binary = LspSettings::for_worktree(NAME, worktree).ok().and_then(|settings| settings.binary);
        let (path, arguments, env) = binary.map_or((None, None, None), |b| (b.path, b.arguments, b.env));
        let command = path.or_else(|| worktree.which(NAME)).ok_or(
            "stacklint is not on the PATH. Install it, or say where it is: \
             \"lsp\": { \"stacklint\": { \"binary\": { \"path\": \"…\" } } }",
        )?;
        let mut variables = worktree.shell_env();
        variables.extend(env.into_iter().flatten());
        Ok(Command { command, args: arguments.unwrap_or_else(|| vec!["lsp".to_owned()]), env: variables })
    }

    fn language_server_initialization_options(
        &mut self,
        _: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<zed::serde_json::Value>> {
        Ok(LspSettings::for_worktree(NAME, worktree).ok().and_then(|settings| settings.initialization_options))
    }
}

zed::register_extension!(Stacklint);
