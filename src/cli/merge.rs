//! `stacklint merge`.

use super::Ending;
use super::args::MergeArgs;
use super::check::write_report;
use super::session::Problem;
use crate::diagnostic::Severity;
use crate::load;
use crate::report;

pub fn run(args: &MergeArgs) -> Result<Ending, Problem> {
    let here =
        std::env::current_dir().map_err(|e| Problem::usage(format!("the working directory cannot be read: {e}")))?;
    let mut texts = Vec::with_capacity(args.files.len());
    for file in &args.files {
        let text = load::read_report(&here, file)
            .map_err(|reason| Problem::usage(format!("cannot read the report `{}`: {reason}", file.display())))?;
        texts.push(text);
    }
    let joined = report::merge(texts.iter().map(Vec::as_slice)).map_err(|(index, reason)| {
        let file = args.files.get(index).map(|f| f.display().to_string()).unwrap_or_default();
        Problem::Usage(
            format!("`{file}`: {reason}"),
            Some(
                "give reports that `stacklint check` wrote with `--format json`, or all with `--format sarif`"
                    .to_owned(),
            ),
        )
    })?;
    write_report(&here, args.output.as_deref(), &joined.text)?;
    let least = args.fail_on.unwrap_or(Severity::Info);
    Ok(if joined.worst.is_some_and(|worst| worst >= least) { Ending::Findings } else { Ending::Clean })
}
