//! Colours and links of the terminal, all of which vanish where they are not wanted.

use crate::diagnostic::Severity;
use crate::report::RenderOptions;
use crate::report::text::one_line;
use miette::{GraphicalTheme, LabeledSpan, ThemeCharacters, ThemeStyles};
use owo_colors::{OwoColorize, Style};

/// How things look.
pub struct Styles {
    color: bool,
    hyperlinks: bool,
    unicode: bool,
}

/// miette's three levels choose the sign before the message.
pub fn level(severity: Severity) -> miette::Severity {
    match severity {
        Severity::Critical | Severity::High => miette::Severity::Error,
        Severity::Medium => miette::Severity::Warning,
        Severity::Low | Severity::Info => miette::Severity::Advice,
    }
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => Style::new().bright_magenta().bold(),
        Severity::High => Style::new().bright_red().bold(),
        Severity::Medium => Style::new().yellow().bold(),
        Severity::Low => Style::new().cyan().bold(),
        Severity::Info => Style::new().blue().bold(),
    }
}

impl Styles {
    /// As the options say.
    pub fn new(options: &RenderOptions) -> Styles {
        Styles { color: options.color, hyperlinks: options.hyperlinks, unicode: options.unicode }
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.color && !text.is_empty() { text.style(style).to_string() } else { text.to_owned() }
    }

    /// Less than the rest.
    pub fn dim(&self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    /// More than the rest.
    pub fn bold(&self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }

    /// A keyword such as `help:`.
    pub fn help(&self, text: &str) -> String {
        self.paint(text, Style::new().cyan())
    }

    /// A path with its line.
    pub fn place(&self, text: &str) -> String {
        self.paint(text, Style::new().cyan().underline())
    }

    /// What went well.
    pub fn good(&self, text: &str) -> String {
        self.paint(text, Style::new().green().bold())
    }

    /// Words in the colour of a severity.
    pub fn of_severity(&self, text: &str, severity: Severity) -> String {
        self.paint(text, severity_style(severity))
    }

    /// The severity itself.
    pub fn severity(&self, severity: Severity) -> String {
        self.of_severity(severity.as_str(), severity)
    }

    /// A name that leads to a page, by OSC 8 where the terminal knows it.
    pub fn link(&self, name: &str, url: &str) -> String {
        let name = self.bold(&one_line(name));
        // Only a plain address may go into an escape sequence.
        if !self.hyperlinks || url.is_empty() || !url.chars().all(|c| c.is_ascii_graphic()) {
            return name;
        }
        format!("\x1b]8;;{url}\x1b\\{name}\x1b]8;;\x1b\\")
    }

    /// miette's theme for a finding: the primary label has the colour of the severity, the others colours of their own.
    pub fn theme(&self, severity: Severity, labels: &[LabeledSpan]) -> GraphicalTheme {
        let characters = if self.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
        if !self.color {
            return GraphicalTheme { characters, styles: ThemeStyles::none() };
        }
        let main = severity_style(severity);
        let others = [Style::new().blue().bold(), Style::new().green().bold()];
        // miette hands out the styles to the labels in the order of their places.
        let mut order: Vec<&LabeledSpan> = labels.iter().collect();
        order.sort_by_key(|l| l.offset());
        let mut next = others.iter().cycle();
        let mut highlights: Vec<Style> =
            order.iter().map(|l| if l.primary() { main } else { next.next().copied().unwrap_or(main) }).collect();
        if highlights.is_empty() {
            highlights.push(main);
        }
        let styles = ThemeStyles {
            error: main,
            warning: main,
            advice: main,
            help: Style::new().cyan(),
            link: Style::new().cyan().underline(),
            linum: Style::new().dimmed(),
            highlights,
        };
        GraphicalTheme { characters, styles }
    }
}
