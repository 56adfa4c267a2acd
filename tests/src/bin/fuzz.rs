//! The fuzz targets without a fuzzer: `fuzz TARGET FILE...` replays inputs, `fuzz seeds FOLDER` writes what a corpus
//! begins with.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use tests::fuzz::{TARGETS, seeds};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match &arguments[..] {
        [command, folder] if command == "seeds" => write_seeds(Path::new(folder)),
        [name, files @ ..] if !files.is_empty() => replay(name, files),
        _ => Err(io::Error::other("usage: fuzz TARGET FILE... | fuzz seeds FOLDER")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn replay(name: &str, files: &[String]) -> io::Result<()> {
    let target = TARGETS.iter().find(|(known, _)| known == &name);
    let (_, target) = target.ok_or_else(|| io::Error::other("no such target"))?;
    for file in files {
        println!("{file}");
        target(&fs::read(file)?);
    }
    Ok(())
}

/// The messages behind the bytes that choose how they are read; structure the fuzzers find by themselves.
fn write_seeds(folder: &Path) -> io::Result<()> {
    let targets: [(_, _, &[u8]); 4] = [
        ("server_bytes", false, &[0, 1]),
        ("client_bytes", true, &[0, 1, 0]),
        ("differential_server", false, &[]),
        ("differential_client", true, &[0]),
    ];
    for (target, responses, chosen) in targets {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (number, message) in seeds(responses).iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), [chosen, message.as_bytes()].concat())?;
        }
    }
    Ok(())
}
