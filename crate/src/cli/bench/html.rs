//! The report as one page that needs nothing else: plots as SVG, tables.

use std::fmt::{Result, Write};

use parlante::exec::probe::Machine;

use super::report::{Report, Stage, text};

/// Width and height of a plot, and the room for its axes.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 40.0;
const TOP: f64 = 12.0;
/// Operations of networks that are listed, the slowest first.
const LISTED: usize = 25;
/// Colours that people who see colours differently can tell apart (Okabe and Ito, 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222;\
background:#fff}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}svg{max-width:100%;height:auto}\
svg text{font:12px system-ui,sans-serif;fill:#444}table{border-collapse:collapse;font-size:.9rem}td,th{padding:.1rem .6rem;\
text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}pre{overflow-x:auto;\
font-size:.8rem}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}svg text{fill:#bbb}td,th{border-color:#444}}";

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut out = String::new();
    // writing to a string never fails
    let _ = write_page(report, &mut out);
    out
}

fn write_page(report: &Report, out: &mut String) -> Result {
    let Report { size, backend, threads, frames, live, .. } = report;
    write!(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>parlante bench</title><style>{STYLE}</style>\
         <h1>{:.0} frames a second of {size} × {size}</h1>\
         <p>Drawn on {backend} with {threads} threads. Half of the frames took {:.2} ms at most, 99 of 100 took {:.2} ms at most. \
         With the motion generator listening beside it: {:.0} frames a second, 99 of 100 in {:.2} ms at most.</p>",
        report.decode_fps, frames.ms_p50, frames.ms_p99, live.fps, live.ms_p99
    )?;
    heading(
        out,
        "Time of frames",
        "Frames from the fastest to the slowest; the dashed lines are 60 and 25 frames a second.",
    )?;
    frame_times(report, out)?;
    if !report.frame_stages.is_empty() {
        heading(out, "Where a frame's time goes", "Median time of each part, all threads together.")?;
        bars(&report.frame_stages, out)?;
        heading(
            out,
            "What is left to win",
            "Arithmetic for each byte against speed. The line is what this machine can do at most, the dashed one what it can \
             do with what lies in memory; the further below, the more could be won.",
        )?;
        roofline(&report.frame_stages, &report.machine, out)?;
    }
    heading(out, "Size of frames", "Time of a frame by its pixels. On the dashed line, time grows as pixels do.")?;
    sizes(report, out)?;
    heading(out, "Operations of networks", &format!("The slowest ones, on {}.", report.networks))?;
    operations(report, out)?;
    heading(out, "Everything", "The same numbers as in the terminal.")?;
    write!(out, "<pre>{}</pre></html>", escaped(&text(report)))
}

fn heading(out: &mut String, title: &str, says: &str) -> Result {
    write!(out, "<h2>{title}</h2><p>{says}</p>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Numbers to places in a plot.
struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Axis {
    fn x(from: f64, to: f64, logarithmic: bool) -> Self {
        Self { from, to, start: LEFT, end: WIDTH - 16.0, logarithmic }
    }

    fn y(from: f64, to: f64, logarithmic: bool) -> Self {
        Self { from, to, start: HEIGHT - BOTTOM, end: TOP, logarithmic }
    }

    fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// Round numbers along it.
    fn marks(&self) -> Vec<f64> {
        if self.logarithmic {
            let powers = self.from.log10().ceil() as i32..=self.to.log10().floor() as i32;
            return powers.map(|p| 10f64.powi(p)).collect();
        }
        let rough = (self.to - self.from) / 5.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|s| *s >= rough).unwrap_or(rough);
        let first = (self.from / step).ceil() as i64;
        (first..).map(|i| i as f64 * step).take_while(|v| *v <= self.to).collect()
    }
}

/// An empty plot with its axes.
fn begin(out: &mut String, [x, y]: [&Axis; 2], [along, up]: [&str; 2]) -> Result {
    write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" role=\"img\" aria-label=\"{up} by {along}\">"
    )?;
    for mark in x.marks() {
        let (at, low) = (x.at(mark), HEIGHT - BOTTOM);
        write!(out, "<path d=\"M{at:.1} {low}V{TOP}\" stroke=\"#8884\"/>")?;
        write!(out, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>", low + 15.0, short(mark))?;
    }
    for mark in y.marks() {
        let at = y.at(mark);
        write!(out, "<path d=\"M{LEFT} {at:.1}H{}\" stroke=\"#8884\"/>", WIDTH - 16.0)?;
        write!(out, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 6.0, at + 4.0, short(mark))?;
    }
    let middle = (LEFT + WIDTH) / 2.0;
    write!(out, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{along}</text>", HEIGHT - 6.0)?;
    let half = HEIGHT / 2.0;
    write!(out, "<text transform=\"translate(14 {half}) rotate(-90)\" text-anchor=\"middle\">{up}</text>")
}

/// A number in few digits.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 10.0 || value == 0.0 { 0 } else { (1.0 - value.abs().log10().floor()) as usize };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn path(out: &mut String, points: impl Iterator<Item = (f64, f64)>, style: &str) -> Result {
    let mut d = String::new();
    for (i, (x, y)) in points.enumerate() {
        write!(d, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' })?;
    }
    write!(out, "<path d=\"{d}\" fill=\"none\" {style}/>")
}

fn frame_times(report: &Report, out: &mut String) -> Result {
    let times = report.frame_times.sorted();
    let most = times.last().copied().unwrap_or(1.0).max(1000.0 / 25.0);
    let (x, y) = (Axis::x(0.0, 100.0, false), Axis::y(0.0, 1.1 * most, false));
    begin(out, [&x, &y], ["% of the frames", "ms"])?;
    for rate in [25.0, 60.0] {
        let at = y.at(1000.0 / rate);
        path(out, [(x.start, at), (x.end, at)].into_iter(), "stroke=\"#d55e00\" stroke-dasharray=\"5 4\"")?;
    }
    let last = (times.len().max(2) - 1) as f64;
    let points = times.iter().enumerate().map(|(i, ms)| (x.at(100.0 * i as f64 / last), y.at(*ms)));
    path(out, points, "stroke=\"#0072b2\" stroke-width=\"2\"")?;
    write!(out, "</svg>")
}

fn bars(stages: &[Stage], out: &mut String) -> Result {
    const ROW: f64 = 28.0;
    let height = ROW * stages.len() as f64 + 8.0;
    let most = stages.iter().map(|s| s.ms_p50).fold(1e-9, f64::max);
    write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" role=\"img\" aria-label=\"time of each part\">"
    )?;
    for (i, (stage, colour)) in stages.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let (y, width) = (ROW * i as f64 + 4.0, 400.0 * stage.ms_p50 / most);
        write!(out, "<text x=\"70\" y=\"{}\" text-anchor=\"end\">{}</text>", y + 15.0, stage.name)?;
        write!(out, "<rect x=\"78\" y=\"{y}\" width=\"{width:.1}\" height=\"20\" fill=\"{colour}\"/>")?;
        write!(out, "<text x=\"{:.1}\" y=\"{}\">{:.2} ms</text>", 84.0 + width, y + 15.0, stage.ms_p50)?;
    }
    write!(out, "</svg>")
}

fn roofline(stages: &[Stage], machine: &Machine, out: &mut String) -> Result {
    let (x, y) = (Axis::x(0.05, 100.0, true), Axis::y(0.05, 2.0 * machine.gflop_per_second, true));
    begin(out, [&x, &y], ["operations for each byte", "10⁹ operations a second"])?;
    let Machine { gflop_per_second, memory_gb_per_second, cache_gb_per_second } = *machine;
    let dashed = "stroke=\"#888\" stroke-dasharray=\"5 4\"";
    for (speed, style) in [(cache_gb_per_second, "stroke=\"#888\" stroke-width=\"2\""), (memory_gb_per_second, dashed)]
    {
        let along = (0..=60).map(|i| 0.05 * 2000f64.powf(f64::from(i) / 60.0));
        path(out, along.map(|i| (x.at(i), y.at(gflop_per_second.min(i * speed)))), style)?;
    }
    for (stage, colour) in stages.iter().zip(COLOURS.iter().cycle()).filter(|(s, _)| s.ms_p50 > 0.0 && s.mbytes > 0.0) {
        let at = (x.at(1000.0 * stage.gflop / stage.mbytes), y.at(1000.0 * stage.gflop / stage.ms_p50));
        write!(out, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/>", at.0, at.1)?;
        write!(out, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", at.0 + 8.0, at.1 + 4.0, stage.name)?;
    }
    write!(out, "</svg>")
}

fn sizes(report: &Report, out: &mut String) -> Result {
    let area = |size: u32| f64::from(size * size) / 1e6;
    let most = report.sizes.iter().map(|s| s.ms_p99).fold(1.0, f64::max);
    let widest = report.sizes.iter().map(|s| area(s.size)).fold(0.1, f64::max);
    let (x, y) = (Axis::x(0.0, 1.05 * widest, false), Axis::y(0.0, 1.1 * most, false));
    begin(out, [&x, &y], ["million pixels", "ms"])?;
    if let Some(first) = report.sizes.first() {
        let line = [0.0, widest].map(|a| (x.at(a), y.at(first.ms_p50 * a / area(first.size))));
        path(out, line.into_iter(), "stroke=\"#888\" stroke-dasharray=\"5 4\"")?;
    }
    let points = || report.sizes.iter().map(|s| (x.at(area(s.size)), y.at(s.ms_p50)));
    path(out, points(), "stroke=\"#0072b2\" stroke-width=\"2\"")?;
    for ((at_x, at_y), s) in points().zip(&report.sizes) {
        write!(out, "<circle cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"4\" fill=\"#0072b2\"/>")?;
        write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", at_x - 8.0, at_y - 6.0, s.size)?;
    }
    write!(out, "</svg>")
}

fn operations(report: &Report, out: &mut String) -> Result {
    let networks = report.network_operations.iter();
    let mut all: Vec<_> = networks.flat_map(|n| n.operations.iter().map(move |o| (n, o))).collect();
    all.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    write!(out, "<table><tr><th>network<th>operation<th>output<th>ms<th>MFLOP<th>MB<th>GFLOP/s<th>of the roof</tr>")?;
    for (network, o) in all.into_iter().take(LISTED) {
        let (ms, mbytes) = (1000.0 * o.seconds, o.bytes as f64 / 1e6);
        let least = report.roofs.first().map_or(0.0, |roof| 1000.0 * roof.least_seconds(o.gflop, o.bytes as f64));
        let share = 100.0 * least / ms.max(1e-9);
        write!(
            out,
            "<tr><td>{}<td>{}<td>{:?}<td>{ms:.3}<td>{:.2}<td>{mbytes:.2}<td>{:.1}<td>{share:.0} %</tr>",
            network.network,
            o.operation,
            o.output,
            1000.0 * o.gflop,
            o.gflop_per_second()
        )?;
    }
    write!(out, "</table>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_inside() {
        assert_eq!(Axis::x(0.0, 44.0, false).marks(), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(Axis::y(0.05, 250.0, true).marks(), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!([0.0, 0.1, 0.25, 7.5, 100.0].map(short), ["0", "0.1", "0.25", "7.5", "100"]);
    }

    #[test]
    fn axes_keep_what_lies_outside_at_their_ends() {
        let y = Axis::y(0.1, 10.0, true);
        assert_eq!((y.at(0.0), y.at(1e9)), (HEIGHT - BOTTOM, TOP));
        assert!((y.at(1.0) - (HEIGHT - BOTTOM + TOP) / 2.0).abs() < 1e-9);
    }
}
