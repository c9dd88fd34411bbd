//! The program: arguments to a shell, the shell's answer to an exit code.

fn main() {}
