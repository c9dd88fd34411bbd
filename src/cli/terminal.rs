//! What the terminal can do, and messages about the run itself, which go to standard error.

use super::args::ColorChoice;
use super::session::Problem;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The terminal that this run talks to.
pub struct Terminal {
    /// Whether standard output may be coloured.
    pub color: bool,
    /// Whether standard output may hold links.
    pub hyperlinks: bool,
    /// Whether other characters than ASCII can be drawn.
    pub unicode: bool,
    /// The columns of standard output.
    pub width: usize,
    color_of_errors: bool,
    /// Whether warnings and errors are kept to itself.
    silent: bool,
}

impl Terminal {
    /// One that says nothing, for what is only tried.
    pub fn quiet() -> Terminal {
        Terminal { silent: true, ..Terminal::new(ColorChoice::Never) }
    }

    /// A difference with its lines coloured, where standard output may be.
    pub fn color_diff(&self, diff: &str) -> String {
        // What goes to `patch` must be exact; what goes to a terminal must not command it.
        if !self.color && !std::io::stdout().is_terminal() {
            return diff.to_owned();
        }
        let safe = crate::report::visible(diff);
        if !self.color {
            return safe.into_owned();
        }
        let paint = |line: &str| match line.as_bytes().first() {
            Some(b'+') => format!("\x1b[32m{line}\x1b[0m\n"),
            Some(b'-') => format!("\x1b[31m{line}\x1b[0m\n"),
            Some(b'@') => format!("\x1b[36m{line}\x1b[0m\n"),
            _ => format!("{line}\n"),
        };
        safe.lines().map(paint).collect()
    }

    /// Asks the environment.
    pub fn new(choice: ColorChoice) -> Terminal {
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        let may = |is_terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                !set("NO_COLOR") && (set("CLICOLOR_FORCE") || set("FORCE_COLOR") || (is_terminal && !dumb))
            }
        };
        let out = std::io::stdout().is_terminal();
        let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok());
        let measured = || if out { terminal_size() } else { None };
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
        let unicode = cfg!(windows) || locale.is_none_or(|l| l.to_ascii_lowercase().replace('-', "").contains("utf8"));
        Terminal {
            color: may(out),
            hyperlinks: out && may(out) && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout),
            unicode,
            width: columns.or_else(measured).unwrap_or(100).clamp(40, 160),
            color_of_errors: may(std::io::stderr().is_terminal()),
            silent: false,
        }
    }

    /// Says what stops the run.
    pub fn complain(&self, problem: &Problem) {
        let text = match problem {
            Problem::Config(error) => self.draw(&**error),
            other => {
                let (message, help) = other.words();
                let mut text = format!("{} {message}\n", self.paint("31;1", "error:"));
                if let Some(help) = help {
                    text.push_str(&format!("  {} {help}\n", self.paint("36", "help:")));
                }
                text
            }
        };
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// Says what does not stop the run.
    pub fn warn(&self, message: &str) {
        if self.silent {
            return;
        }
        let text = format!("{} {}\n", self.paint("33;1", "warning:"), crate::report::one_line(message));
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// Says something in passing.
    pub fn note(&self, message: &str) {
        let _ = writeln!(std::io::stderr(), "{}", crate::report::one_line(message));
    }

    /// Shows an error with its place in a file.
    pub fn show(&self, error: &dyn miette::Diagnostic) {
        if self.silent {
            return;
        }
        let _ = std::io::stderr().write_all(self.draw(error).as_bytes());
    }

    /// An error with its place in a file.
    pub fn draw(&self, error: &dyn miette::Diagnostic) -> String {
        let theme = match (self.color_of_errors, self.unicode) {
            (true, true) => miette::GraphicalTheme::unicode(),
            (false, true) => miette::GraphicalTheme::unicode_nocolor(),
            (true, false) => miette::GraphicalTheme {
                characters: miette::ThemeCharacters::ascii(),
                ..miette::GraphicalTheme::unicode()
            },
            (false, false) => miette::GraphicalTheme::none(),
        };
        let mut text = String::new();
        let drawn =
            miette::GraphicalReportHandler::new_themed(theme).with_width(self.width).render_report(&mut text, error);
        if drawn.is_err() {
            text = format!("error: {error}\n");
        }
        text
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color_of_errors { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The columns of the terminal, where the system tells.
fn terminal_size() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// A line on standard error that tells of a run that takes longer than a second; gone when this is dropped.
pub struct Progress {
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<bool>>,
}

impl Progress {
    /// Begins to wait. Does nothing where standard error is no terminal.
    pub fn start(what: &'static str) -> Progress {
        let done = Arc::new(AtomicBool::new(false));
        let thread = std::io::stderr().is_terminal().then(|| {
            let done = done.clone();
            std::thread::spawn(move || {
                std::thread::park_timeout(Duration::from_secs(1));
                let mut shown = false;
                let mut seconds = 1;
                while !done.load(Ordering::Relaxed) {
                    let _ = write!(std::io::stderr(), "\r{what} … {seconds} s");
                    shown = true;
                    std::thread::park_timeout(Duration::from_secs(1));
                    seconds += 1;
                }
                shown
            })
        });
        Progress { done, thread }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().unwrap_or(false) {
                let _ = write!(std::io::stderr(), "\r\x1b[K");
            }
        }
    }
}
