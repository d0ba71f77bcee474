//! The networks that are compared.

use parlante::{
    graph::{Constant, Graph, GraphBuilder, GraphError, Port, Value},
    motion::{encoder::Encoder, lips::Lips},
    ops::{Activation, Conv2d, Normalise, NormaliseOver},
    pack::Pack,
    portrait::network,
};

use crate::Outcome;

/// Names of all networks, the costly one last.
pub const NAMES: [&str; 6] = ["lips", "encoder", "segmenter", "landmarker", "spade-small", "spade"];

/// Channels of the block that stands for a large renderer.
const CHANNELS: usize = 512;
/// Its side, and that of the small one, for machines that need minutes for the large one.
const SIDES: [usize; 2] = [64, 8];

/// A network by its name.
///
/// # Errors
/// When there is none of that name, or the pack does not hold it.
pub fn graph(pack: &Pack, name: &str) -> Outcome<Graph> {
    Ok(match name {
        "lips" => Lips::graph(pack, &Encoder::new(pack)?)?,
        "encoder" => Encoder::graph(pack)?,
        "segmenter" | "landmarker" => network::build(pack, name)?,
        "spade" => spade(SIDES[0])?,
        "spade-small" => spade(SIDES[1])?,
        _ => return Err(format!("there is no network `{name}`; there are {}", NAMES.join(", ")).into()),
    })
}

/// Numbers for all inputs of a network, the same on every machine: noise between -1 and 1, and for pictures of three
/// channels a simple drawing of a person, so that networks have something to find.
pub fn inputs(graph: &Graph) -> Vec<Vec<f32>> {
    let one = |(seed, port): (u64, &Port)| match graph.shape(port.value).nhwc() {
        Some([1, height, width, 3]) => drawing(height, width),
        _ => noise(seed, graph.shape(port.value).elements()),
    };
    (1..).zip(graph.inputs()).map(one).collect()
}

/// A head with eyes and a mouth on shoulders, red, green and blue between 0 and 1.
fn drawing(height: usize, width: usize) -> Vec<f32> {
    let mut rgb = Vec::with_capacity(3 * height * width);
    for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
        let (y, x) = (2.0 * row as f32 / height as f32 - 1.0, 2.0 * column as f32 / width as f32 - 1.0);
        let inside = |cy: f32, cx: f32, ry: f32, rx: f32| ((y - cy) / ry).powi(2) + ((x - cx) / rx).powi(2) < 1.0;
        rgb.extend(if inside(-0.2, -0.18, 0.04, 0.07) || inside(-0.2, 0.18, 0.04, 0.07) {
            [0.1, 0.1, 0.15]
        } else if inside(0.2, 0.0, 0.05, 0.16) {
            [0.6, 0.2, 0.2]
        } else if inside(-0.1, 0.0, 0.55, 0.42) {
            [0.85 - 0.1 * x, 0.65 - 0.1 * x, 0.55 - 0.1 * y]
        } else if inside(1.1, 0.0, 0.7, 0.8) {
            [0.2, 0.25, 0.5]
        } else {
            [0.6 + 0.2 * y, 0.7, 0.6]
        });
    }
    rgb
}

/// One block of a SPADE decoder (Park et al., *Semantic Image Synthesis with Spatially-Adaptive Normalization*, 2019) as
/// portrait renderers with open weights have six in a row: 512 channels on 64 x 64 (`side`), weights of noise.
pub(crate) fn spade(side: usize) -> Result<Graph, GraphError> {
    let channels = CHANNELS;
    let mut b = GraphBuilder::new();
    let x = b.input("x", [1, side, side, channels])?;
    let guide = b.input("guide", [1, side, side, channels / 2])?;
    let mut y = x;
    for half in 0..2 {
        y = spatially_normalised(&mut b, y, guide, 10 * half)?;
        y = b.activation(y, Activation::LeakyRelu(0.2))?;
        y = b.conv2d(y, conv(10 * half + 9, channels, channels)?)?;
    }
    let sum = b.add(x, y)?;
    b.output("sum", sum)?;
    b.build()
}

/// Instance normalisation with scale and shift for each pixel, computed from the guide.
fn spatially_normalised(b: &mut GraphBuilder, x: Value, guide: Value, seed: u64) -> Result<Value, GraphError> {
    let channels = CHANNELS;
    let hidden = channels / 4;
    let shared = Conv2d { activation: Activation::Relu, ..conv(seed + 1, hidden, channels / 2)? };
    let shared = b.conv2d(guide, shared)?;
    // One plus gamma: the one is part of the bias.
    let ones = Some(Constant::f32([channels], vec![1.0; channels])?);
    let gamma = Conv2d { bias: ones, ..conv(seed + 2, channels, hidden)? };
    let gamma = b.conv2d(shared, gamma)?;
    let beta = b.conv2d(shared, conv(seed + 3, channels, hidden)?)?;
    let normalise = Normalise { over: NormaliseOver::Pixels, scale: None, shift: None, epsilon: 1e-5 };
    let y = b.normalise(x, normalise)?;
    let y = b.mul(y, gamma)?;
    b.add(y, beta)
}

/// A convolution of 3 x 3 whose weights keep the size of numbers.
fn conv(seed: u64, out: usize, channels: usize) -> Result<Conv2d, GraphError> {
    let size = (3.0 / (9 * channels) as f32).sqrt();
    let weights = |seed, count| noise(seed, count).into_iter().map(|v| v * size).collect();
    let weight = Constant::f32([out, 3, 3, channels], weights(100 + seed, out * 9 * channels))?;
    let bias = Some(Constant::f32([out], weights(200 + seed, out))?);
    Ok(Conv2d { bias, ..Conv2d::new(weight) })
}

/// Numbers between -1 and 1 that look random (a xorshift of 64 bits).
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count + 8).map(|_| next()).skip(8).collect()
}
