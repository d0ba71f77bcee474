//! What the system tells about memory and energy.

use std::path::Path;

/// Memory of this process as `/proc` names it (`VmHWM`: the largest so far, `VmRSS`: now), 10^6 bytes; none where the
/// system does not tell.
pub fn memory(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// Energy that the processor has used so far, joules; none where the system does not tell (Linux does by RAPL, mostly to
/// root only).
pub fn energy() -> Option<f64> {
    energy_in(Path::new("/sys/class/powercap"))
}

fn energy_in(folder: &Path) -> Option<f64> {
    let packages = std::fs::read_dir(folder).ok()?.flatten().filter(|zone| {
        // intel-rapl:0 is a processor; intel-rapl:0:1 is a part of it
        let name = zone.file_name();
        name.to_str().and_then(|n| n.strip_prefix("intel-rapl:")).is_some_and(|n| n.parse::<u32>().is_ok())
    });
    let joules = packages.map(|zone| {
        let text = std::fs::read_to_string(zone.path().join("energy_uj")).ok()?;
        Some(text.trim().parse::<f64>().ok()? / 1e6)
    });
    let all: Vec<f64> = joules.collect::<Option<_>>()?;
    (!all.is_empty()).then(|| all.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_energy_of_all_processors_is_added_and_none_is_made_up() {
        let folder = std::env::temp_dir().join(format!("parlante-rapl-{}", std::process::id()));
        for (zone, energy) in [("intel-rapl:0", "1500000\n"), ("intel-rapl:0:0", "9\n"), ("intel-rapl:1", "500000\n")] {
            std::fs::create_dir_all(folder.join(zone)).unwrap();
            std::fs::write(folder.join(zone).join("energy_uj"), energy).unwrap();
        }
        assert_eq!(energy_in(&folder), Some(2.0));
        std::fs::write(folder.join("intel-rapl:1/energy_uj"), "?").unwrap();
        assert_eq!(energy_in(&folder), None);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(energy_in(&folder), None);
    }
}
