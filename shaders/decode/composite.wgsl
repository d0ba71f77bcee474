// One pass over the picture: the mesh, finer around the lips, then both eyes and the mouth. Twin of `decode/paint.rs`.

@group(0) @binding(3) var scene: texture_2d<f32>;
@group(0) @binding(4) var fine: texture_2d<f32>;
@group(0) @binding(5) var inner: texture_2d<f32>;
// of the right, then the left eye: sclera, iris, surface, lid
@group(0) @binding(6) var layers: texture_2d_array<f32>;
@group(0) @binding(7) var card: texture_2d<f32>;
// what is behind the person, pixel by pixel
@group(0) @binding(8) var still: texture_2d<f32>;

// Share of red, green and blue in brightness.
const BRIGHTNESS = vec3f(0.3, 0.59, 0.11);
// How strongly the lips' shadow takes red, green and blue.
const SHADOW = vec3f(0.82, 1.0, 1.04);
// The cheek behind the corners of the mouth: brightness, and shares of the half width where it comes into sight.
const CHEEK = 0.46;
const CORNERS = vec2f(0.40, 1.0);
const CHEEK_REACH = 0.45;
// The inside of the lower lip: brightness, and reach in centimetres.
const INNER_LIP = 0.28;
const INNER_LIP_REACH = 0.2;

@vertex
fn composite_vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    return vec4f(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

// Mean of the 2 x 2 samples of an output pixel in a picture whose top left is the pixel `origin`.
fn mean_of_four(picture: texture_2d<f32>, pixel: vec2f, origin: vec2f) -> vec4f {
    let at = 2 * vec2i(pixel - origin);
    let sum = texel(picture, at) + texel(picture, at + vec2i(1, 0)) + texel(picture, at + vec2i(0, 1))
        + texel(picture, at + vec2i(1, 1));
    return 0.25 * sum;
}

// Weighted mean of the 4 x 4 samples around an output pixel that are `spread` samples apart; with 0 of its own four. Alpha
// is how much lies over the lower lip; colours that do not count only as far as the mouth is `open` there.
fn blurred(picture: texture_2d<f32>, pixel: vec2f, origin: vec2f, spread: i32, open: f32) -> vec4f {
    let at = 2 * vec2i(pixel - origin);
    var sum = vec3f(0.0);
    var total = 1e-6;
    var over = 0.0;
    for (var j = 0; j < 4; j++) {
        for (var i = 0; i < 4; i++) {
            let inner = vec2i(select(0, 1, i == 1 || i == 2), select(0, 1, j == 1 || j == 2));
            let share = select((1.0 + 2.0 * vec2f(inner)) / 8.0, 0.5 * vec2f(inner), spread == 0);
            let colour = texel(picture, at + tap(vec2i(i, j), max(spread, 1)));
            let alpha = colour.a / WHITE;
            let weight = share.x * share.y * (open + (1.0 - open) * alpha);
            sum += weight * colour.rgb;
            total += weight;
            over += share.x * share.y * alpha;
        }
    }
    return vec4f(sum / total, over);
}

// Offset of a tap from an output pixel's first sample: symmetric about the middle of its 2 x 2 samples.
fn tap(index: vec2i, spread: i32) -> vec2i {
    let near = vec2i((spread - 1) / 2);
    let far = near + spread;
    return select(select(vec2i(-far), vec2i(-near), index == vec2i(1)), select(1 + near, 1 + far, index == vec2i(3)), index >= vec2i(2));
}

@fragment
fn composite_fragment(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let pixel = floor(position.xy);
    let p = position.xy / plan.scale.x;
    var person = texel(scene, vec2i(pixel));
    if (inside_area(plan.mouth.fine, pixel)) {
        person = mean_of_four(fine, pixel, plan.mouth.fine.xy);
    }
    let shown = person + (1.0 - person.a / WHITE) * texel(still, vec2i(pixel));
    var colour = shown.rgb;
    for (var side = 0u; side < 2u; side++) {
        if (inside_area(plan.eyes[side].area, pixel)) {
            colour = eye(p, colour, side);
        }
    }
    if (inside_area(plan.mouth.area, pixel)) {
        colour = mouth(p, pixel, colour);
    }
    return vec4f(colour, shown.a) / WHITE;
}

// How far to the side of the mouth's middle a point lies: 0 there, 1 at both corners.
fn aside(p: vec2f, lip: ptr<function, Line>) -> f32 {
    let a = (*lip)[0];
    let d = (*lip)[POINTS - 1u] - a;
    return min(abs(2.0 * dot(p - a, d) / max(dot(d, d), 1e-6) - 1.0), 1.0);
}

fn mouth(p: vec2f, pixel: vec2f, before: vec3f) -> vec3f {
    let mouth = &plan.mouth;
    var upper: Line;
    var lower: Line;
    for (var i = 0u; i < POINTS; i++) {
        upper[i] = (*mouth).lips[i].xy;
        lower[i] = (*mouth).lips[i].zw;
    }
    let up = nearest(p, &upper);
    let low = nearest(p, &lower);
    let cm = (*mouth).light.w;
    var colour = before;
    if ((*mouth).tissue.w > 0.0) {
        let open = coverage(up, low, plan.scale.w + (*mouth).soft.x);
        if (open > 0.0 || (*mouth).soft.z > 0.0) {
            let behind = blurred(inner, pixel, (*mouth).area.xy, i32((*mouth).soft.y), open);
            let over = behind.a;
            // the lips' shadow on what lies behind them
            let dark = 0.46 * exp(-up.distance / (0.16 * cm)) + 0.22 * exp(-low.distance / (0.10 * cm));
            let shadow = max(1.0 - SHADOW * dark * (1.0 - over), vec3f(0.25));
            let lit = behind.rgb * shadow;
            var inside = mix(vec3f(dot(lit, BRIGHTNESS)), lit, (*mouth).soft.w);
            // beside and below the teeth it is dark, not black
            let near = min(up.distance, low.distance) / (CHEEK_REACH * cm);
            let cheek = CHEEK * smooth_step(aside(p, &upper), CORNERS.x, CORNERS.y) * exp(-square(near));
            let reach = low.distance / (INNER_LIP_REACH * cm);
            inside = max(inside, max(cheek, INNER_LIP * exp(-square(reach))) * (*mouth).tissue.rgb);
            if ((*mouth).tooth.w > 0.0) {
                let at = map_affine((*mouth).to_card[0], (*mouth).to_card[1], p);
                if (all(at > vec2f(0.0)) && all(at < vec2f(textureDimensions(card)))) {
                    let tooth = bilinear(card, at);
                    // the photo's teeth have some of it already
                    inside = mix(inside, tooth.rgb * (0.45 + 0.55 * shadow), tooth.a / WHITE * (1.0 - over));
                }
            }
            colour = mix(colour, inside, max(open, over) * (*mouth).tissue.w);
        }
    }
    if ((*mouth).reach.w > 0.0) {
        let distance = 0.5
            * select(up.distance + low.distance, abs(up.distance - low.distance), inside(up, low));
        let ends = smooth_step(up.along, 0.0, 0.16) * smooth_step(1.0 - up.along, 0.0, 0.16);
        let x = up.along * f32(POINTS - 1u);
        let i = min(u32(x), POINTS - 2u);
        let need = mix((*mouth).seam[i].x, (*mouth).seam[i + 1u].x, x - f32(i));
        let k = need * ends
            * (0.26 * exp(-square(distance / (0.09 * cm))) + 0.15 * exp(-square(distance / (0.22 * cm))));
        colour *= 1.0 - k * vec3f(1.0 - 0.15 * (*mouth).soft.w, 1.0, 1.0);
    }
    return colour;
}
