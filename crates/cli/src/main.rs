//! The binary `dataward`: arguments, configuration, wiring, exit codes. No logic worth a test of its own.

mod args;
mod commands;
mod config;
mod context_file;
mod exit;
mod logging;
mod output;
mod progress;
mod row_printer;
mod wiring;

use clap::Parser;

// Rows come and go by the hundred megabytes, and cross threads: the system's allocator gives them back page by page.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let is_help = !error.use_stderr();
            // A closed pipe is no news.
            let _ = error.print();
            return if is_help { exit::Exit::Done.into() } else { exit::Exit::Usage.into() };
        }
    };
    logging::start(args.verbose);
    match commands::run(&args) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit().into()
        }
    }
}
