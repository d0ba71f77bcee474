//! The command line: arguments, progress on stderr, results on stdout, exit codes.

mod animate;
mod args;
mod bench;
mod device;
mod failure;
mod inbox;
mod interrupt;
mod live;
#[cfg(feature = "device")]
mod microphone;
mod models;
mod motion;
mod pack;
mod painter;
mod progress;
mod render;
mod sample;
mod soundtrack;
mod words;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, Command, PackCommand};

/// Parses the arguments, does what they say and reports.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    interrupt::watch();
    let result = match arguments.command {
        Command::Animate(arguments) => animate::run(&arguments),
        Command::Motion(arguments) => motion::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Pack { command: PackCommand::Inspect { file, json } } => pack::inspect(&file, json),
    };
    match result {
        Ok(text) => print(&text),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "parlante: {failure}");
            failure.exit_code()
        }
    }
}

/// Results go to stdout; a reader that went away early is no failure.
fn print(text: &str) -> ExitCode {
    if text.is_empty() {
        return ExitCode::SUCCESS;
    }
    let mut out = std::io::stdout().lock();
    let _ = if text.ends_with('\n') { write!(out, "{text}") } else { writeln!(out, "{text}") };
    ExitCode::SUCCESS
}

/// Help and version as clap prints them, anything else as one line.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return print(&error.to_string());
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(std::io::stderr(), "{error}");
        return ExitCode::from(failure::USAGE);
    }
    let text = error.to_string();
    let first = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    let sentence = first.strip_prefix("error: ").unwrap_or(&first);
    let _ = writeln!(std::io::stderr(), "parlante: {sentence} (see --help)");
    ExitCode::from(failure::USAGE)
}
