// Pixels and lines. Twin of `decode/shapes.rs`.

alias Line = array<vec2f, 17>;

// The point of a line that is nearest to a pixel.
struct Nearest {
    distance: f32,
    along: f32,
    under: bool,
    odd: bool,
}

fn nearest(p: vec2f, line: ptr<function, Line>) -> Nearest {
    var best = Nearest(1e30, 0.0, false, false);
    for (var i = 0u; i < POINTS - 1u; i++) {
        let a = (*line)[i];
        let b = (*line)[i + 1u];
        let d = b - a;
        let e = p - a;
        let t = clamp(dot(e, d) / max(dot(d, d), 1e-9), 0.0, 1.0);
        let r = e - t * d;
        let squared = dot(r, r);
        let cross = d.x * e.y - d.y * e.x;
        if (squared < best.distance) {
            best.distance = squared;
            best.along = (f32(i) + t) / f32(POINTS - 1u);
            best.under = cross > 0.0;
        }
        if ((a.y > p.y) != (b.y > p.y) && (cross > 0.0) == (d.y > 0.0)) {
            best.odd = !best.odd;
        }
    }
    best.distance = sqrt(best.distance);
    return best;
}

fn inside(upper: Nearest, lower: Nearest) -> bool {
    return upper.odd != lower.odd;
}

// Share of the pixel between two lines that share their ends. `width`: half width of a soft edge.
fn coverage(upper: Nearest, lower: Nearest, width: f32) -> f32 {
    let a = min(upper.distance, lower.distance);
    let near = select(-a, a, inside(upper, lower));
    let far = max(upper.distance, lower.distance);
    return max(edge(near, width) - edge(-far, width), 0.0);
}

fn edge(distance: f32, width: f32) -> f32 {
    let t = clamp(0.5 + 0.5 * distance / width, 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}

fn smooth_step(x: f32, lo: f32, hi: f32) -> f32 {
    let t = clamp((x - lo) / (hi - lo), 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}

fn square(x: f32) -> f32 {
    return x * x;
}
