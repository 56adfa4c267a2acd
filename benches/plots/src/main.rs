//! Draws the pictures of `docs/src/performance.md`, and writes its tables, from `figures.md`, which `benches/plots.sh`
//! fills.

use std::process::ExitCode;

fn main() -> ExitCode {
    let done = plots::files(&plots::root()).and_then(|files| {
        for (path, text) in files {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(path, text)?;
        }
        Ok(())
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
