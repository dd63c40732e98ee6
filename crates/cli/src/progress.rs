//! Progress bars: on a terminal, for what takes longer than a second.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, WeakProgressBar};

const SECOND: Duration = Duration::from_secs(1);

/// A bar over a known number of bytes or items; invisible where nobody would see it.
pub(crate) fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    if std::io::stderr().is_terminal() {
        let bar = bar.downgrade();
        std::thread::spawn(move || show_later(&bar));
    }
    bar
}

/// What is over within a second was never worth a bar.
fn show_later(bar: &WeakProgressBar) {
    std::thread::park_timeout(SECOND);
    if let Some(bar) = bar.upgrade().filter(|bar| !bar.is_finished()) {
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        bar.enable_steady_tick(SECOND);
    }
}
