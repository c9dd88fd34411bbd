//! Compiles `policies/**` into the tables that the binary embeds; nothing else.
//!
//! The compiler is the one that reads users' policies at run time: its modules are included here by their paths, which
//! is why they need nothing but each other and a few small libraries. A broken policy fails the build with its place.

#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    unfulfilled_lint_expectations,
    reason = "the included modules serve more than this script"
)]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a build script speaks to cargo, reads the policies, writes the tables, and may stop where it cannot"
)]

#[path = "src/base/mod.rs"]
mod base;
#[path = "src/diagnostic/mod.rs"]
mod diagnostic;
#[path = "src/policy"]
mod policy {
    pub mod compile;
    pub mod model;
    pub mod values;
    pub mod words;
}
#[path = "src/syntax"]
mod syntax {
    mod comment;
    pub mod yaml;
    pub use comment::Comment;
}

use base::{ColumnEncoding, Files};
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=policies");
    println!("cargo::rerun-if-changed=build.rs");
    for folder in ["src/base", "src/diagnostic", "src/policy/compile", "src/policy/values", "src/syntax/yaml"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    for file in ["src/policy/model.rs", "src/policy/words.rs", "src/syntax/comment.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let mut files = Files::default();
    read(Path::new("policies"), &mut files);
    let output = policy::compile::compile(&files, "policies", &policy::model::Library::default());
    if !output.errors.is_empty() {
        for error in &output.errors {
            let place = match files.get(error.span.file) {
                Some(file) => {
                    let at = file.lines().position(&file.text, error.span.start, ColumnEncoding::Chars);
                    format!("{}:{}:{}", file.path, at.line, at.column)
                }
                None => "policies".to_owned(),
            };
            let help = error.help.as_ref().map_or_else(String::new, |h| format!(" ({h})"));
            println!("cargo::error={place}: {}{help}", error.message.replace('\n', " "));
        }
        std::process::exit(1);
    }
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    let (index, table) = policy::compile::pack(&output.policies);
    std::fs::write(out.join("policies.index"), index).expect("OUT_DIR can be written");
    std::fs::write(out.join("policies.table"), table).expect("OUT_DIR can be written");
    let library = postcard::to_stdvec(&output.library).expect("plain data can be encoded");
    std::fs::write(out.join("policies.library"), library).expect("OUT_DIR can be written");
}

fn read(folder: &Path, files: &mut Files) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read(&path, files);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            files.set(&path.to_string_lossy().replace('\\', "/"), text.into());
        }
    }
}
