// One eye and its lids. Twin of `decode/paint_eye.rs`.

// Texture pixels to a crop pixel of the eyes' layers.
const LAYER_TEXELS = 1.25;
// Clumps of lashes along a lid.
const CLUMPS = 15.0;
// Mean of the strokes of lashes over a clump.
const MEAN = 0.45;
// How dark the fold above a shut lid is.
const CREASE = 0.05;
// Layers of an eye.
const SCLERA = 0u;
const IRIS = 1u;
const SURFACE = 2u;
const LID = 3u;

// Where a pixel lies on a lid; see the twin.
struct OnLid {
    along: f32,
    under_fold: f32,
    over_margin: f32,
    height: f32,
    shut: f32,
}

fn eye(p: vec2f, before: vec3f, side: u32) -> vec3f {
    let eye = &plan.eyes[side];
    var upper: Line;
    var lower: Line;
    for (var i = 0u; i < POINTS; i++) {
        upper[i] = (*eye).lids[i].xy;
        lower[i] = (*eye).lids[i].zw;
    }
    let shade = (*eye).shade;
    let up = nearest(p, &upper);
    let low = nearest(p, &lower);
    let open = coverage(up, low, plan.scale.w);
    let q = map_affine((*eye).to_photo[0], (*eye).to_photo[1], p);
    var colour = before;
    if (open * shade.z > 0.0) {
        // a lid lower than in the photo throws its shadow lower
        let shadow = 1.0 - shade.x * exp(-up.distance / shade.y);
        colour = mix(colour, eyeball(q, side) * shadow, open * shade.z);
    }
    if ((*eye).lid.x > 0.0) {
        let lid = on_lid(p, side);
        colour = lashes(up, lid, lid_skin(q, lid, colour, side), side);
    }
    return colour;
}

fn eye_layer(layer: u32, q: vec2f, side: u32) -> vec4f {
    return bicubic_layer(layers, layer + 4u * side, (q + MARGIN) * LAYER_TEXELS - plan.eyes[side].layer.xy);
}

// Sclera, iris and the light that they mirror at crop pixel `q` of the photo.
fn eyeball(q: vec2f, side: u32) -> vec3f {
    let eye = &plan.eyes[side];
    let white = eye_layer(SCLERA, q, side).rgb;
    var d = q - (*eye).iris.xy;
    d += dot(d, (*eye).turn.xy) * (*eye).turn.z * (*eye).turn.xy;
    let iris = eye_layer(IRIS, (*eye).iris.zw + d, side);
    let disc = clamp(iris.a / WHITE, 0.0, 1.0);
    let glint = eye_layer(SURFACE, q - (*eye).glint.xy, side).rgb;
    return mix(white, iris.rgb, disc) + disc * max(glint, vec3f(0.0));
}

fn on_lid(p: vec2f, side: u32) -> OnLid {
    let eye = &plan.eyes[side];
    let a = (*eye).second[0].xy;
    let d = (*eye).second[POINTS - 1u].xy - a;
    let squared = max(dot(d, d), 1e-3);
    let along = dot(p - a, d) / squared;
    let x = clamp(along, 0.0, 1.0) * f32(POINTS - 1u);
    let i = min(u32(x), POINTS - 2u);
    let f = x - f32(i);
    let normal = vec2f(-d.y, d.x) / sqrt(squared);
    let here = dot(p - a, normal);
    let fold = dot(mix((*eye).second[i].xy, (*eye).second[i + 1u].xy, f) - a, normal);
    let margin = dot(mix((*eye).lids[i].xy, (*eye).lids[i + 1u].xy, f) - a, normal);
    let low = dot(mix((*eye).lids[i].zw, (*eye).lids[i + 1u].zw, f) - a, normal);
    return OnLid(along, here - fold, margin - here, margin - fold, max(max(low - fold, margin - fold), 1.0));
}

// Skin of a lid that comes down.
fn lid_skin(q: vec2f, lid: OnLid, before: vec3f, side: u32) -> vec3f {
    let eye = &plan.eyes[side];
    let cm = (*eye).shade.w;
    let begin = (*eye).lid.y;
    let edge = max(0.05 * cm, (*eye).glint.z);
    let here = (*eye).lid.x * smooth_step(lid.over_margin, begin - edge, begin + edge);
    if (here <= 0.0) {
        return before;
    }
    let skin = eye_layer(LID, q, side);
    let cover = here * clamp(skin.a / WHITE, 0.0, 1.0);
    let s = clamp(lid.under_fold / lid.shut, 0.0, 1.0);
    let bow = max(4.0 * lid.along * (1.0 - lid.along), 0.0);
    // the ball below: lightest in its middle
    let dome = 1.0 + bow * (*eye).lid.z * (0.45 - square(2.0 * s - 1.0));
    // the crease lies above the edge of an open lid
    let crease = 1.0 - CREASE * bow * exp(-square((lid.under_fold + 0.10 * cm) / (0.14 * cm)));
    let rim = 1.0 - 0.14 * exp(-max(lid.over_margin, 0.0) / (0.12 * cm));
    let grain = eye_layer(SURFACE, q - vec2f(0.0, lid.height), side).a - 128.0;
    return mix(before, skin.rgb * dome * crease * rim + grain, cover);
}

// A line along the margin and tapered strokes that fan out below it.
fn lashes(up: Nearest, lid: OnLid, before: vec3f, side: u32) -> vec3f {
    let eye = &plan.eyes[side];
    let lash = (*eye).lash;
    if (lash.w <= 0.0) {
        return before;
    }
    let wide = (*eye).lid.w;
    // as soft as the photo: a line gets wider and paler, the gaps between clumps fill
    let soft = (*eye).glint.z;
    let sharp = select(0.026, 0.046, up.under) * wide;
    let width = length(vec2f(sharp, 1.4142135 * soft));
    let line = sharp / width * exp(-square(up.distance / width));
    let contrast = exp(-square(6.2831853 * soft * CLUMPS / wide) / 2.0);
    let below = max(-lid.over_margin, 0.0);
    let x = clamp(lid.along, 0.0, 1.0) * f32(POINTS - 1u);
    let i = min(u32(x), POINTS - 2u);
    let hair = mix((*eye).second[i].zw, (*eye).second[i + 1u].zw, x - f32(i));
    let tip = clamp(1.0 - below / max(hair.x * wide, 1e-3), 0.0, 1.0);
    let fan = CLUMPS * (lid.along - 1.3 * (lid.along - 0.5) * below / wide);
    let phase = fan + 0.3 * sin(2.3 * fan) + 0.2 * sin(0.9 * fan);
    let clump = 0.5 + 0.5 * cos(6.2831853 * fract(phase));
    // strokes get thinner towards their tips
    let own = smooth_step(clump, 0.75 - 0.75 * tip, 1.15 - 0.5 * tip);
    let stroke = select(0.0, tip * (0.4 + 0.6 * (MEAN + (own - MEAN) * contrast)), lid.over_margin < 0.0);
    let a = lash.w * hair.y * max(line, 0.8 * stroke);
    return mix(before, lash.rgb, a);
}
