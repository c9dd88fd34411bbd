//! The program: arguments to a shell, the shell's answer to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    stacklint::cli::main()
}
