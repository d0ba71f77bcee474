//! The CUDA kernels, compiled as C++ and run on this processor, thread after thread: what can be tested of them without a
//! GPU. They must give what the processor's executor gives.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use parlante::{
    exec::CpuSession,
    graph::{Constant, GraphBuilder, GraphError, Value},
    ops::{Conv2d, ConvTranspose2d, Depthwise2d, Gru, Padding, Pool, PoolKind},
};

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cuda_kernels.cpp");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cuda_kernels{}", env::consts::EXE_SUFFIX));
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let status = Command::new(&compiler).args(["-O1", "-Wall", "-Werror", "-o"]).arg(&program).arg(source).status();
    assert!(status.expect("a C++ compiler, which openh264 needs too").success(), "{compiler} refuses the kernels");
    program
});

/// Runs a kernel. `numbers` follow the count of elements in its structure.
fn run(name: &str, numbers: &[usize], inputs: &[&[f32]], results: usize) -> Vec<f32> {
    let listed = |values: &[f32]| values.iter().fold(values.len().to_string(), |text, v| format!("{text} {v}"));
    let numbers = numbers.iter().fold(format!("{} {results}", numbers.len() + 1), |text, n| format!("{text} {n}"));
    let inputs: Vec<String> = inputs.iter().map(|input| listed(input)).collect();
    let text = format!("{name} {numbers} {} {} {results}\n", inputs.len(), inputs.join(" "));
    let mut child =
        Command::new(&*PROGRAM).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{name} is not there");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| line.parse().expect("a number")).collect()
}

/// Numbers between -1 and 1 that look random.
fn noise(seed: u32, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn constant(shape: &[usize], values: &[f32]) -> Constant {
    Constant::f32(shape, values.to_vec()).expect("a number for each element")
}

/// What the processor makes of inputs of these shapes.
fn expected(
    inputs: &[(&[usize], &[f32])],
    operation: impl FnOnce(&mut GraphBuilder, &[Value]) -> Result<Value, GraphError>,
) -> Vec<f32> {
    let mut b = GraphBuilder::new();
    let values: Vec<Value> =
        inputs.iter().enumerate().map(|(i, (shape, _))| b.input(format!("x{i}"), *shape).expect("a shape")).collect();
    let y = operation(&mut b, &values).expect("shapes fit");
    b.output("y", y).expect("one result");
    let data: Vec<&[f32]> = inputs.iter().map(|(_, data)| *data).collect();
    let graph = b.build().expect("one result");
    CpuSession::new(&graph).and_then(|mut cpu| cpu.run(&data)).expect("the processor runs it").remove(0)
}

fn same(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() < 1e-5 * (1.0 + e.abs()), "element {i} is {f}, not {e}");
    }
}

/// Rows times the transposed matrix, as cuBLAS multiplies.
fn product(x: &[f32], inner: usize, weight: impl Fn(usize, usize) -> f32, columns: usize) -> Vec<f32> {
    let rows = x.chunks_exact(inner);
    rows.flat_map(|row| {
        let column = |n: usize| row.iter().enumerate().map(|(k, v)| v * weight(k, n)).sum::<f32>();
        (0..columns).map(column).collect::<Vec<_>>()
    })
    .collect()
}

const PADDING: Padding = Padding::Explicit { top: 1, bottom: 2, left: 2, right: 1 };
const INPUT: [usize; 4] = [2, 9, 8, 5];
const OUTPUT: [usize; 2] = [5, 9];
/// Of a window of 3 x 2 with stride 2, 1 and dilation 1, 2 over [`INPUT`], as the kernels take it.
const WINDOW: [usize; 13] = [5, 9, 8, 5, 9, 3, 2, 2, 1, 1, 2, 1, 2];

#[test]
fn patches_make_a_convolution() {
    let (x, weight) = (noise(1, INPUT.iter().product()), noise(2, 7 * 6 * 5));
    let conv =
        Conv2d { stride: [2, 1], dilation: [1, 2], padding: PADDING, ..Conv2d::new(constant(&[7, 3, 2, 5], &weight)) };
    let expected = expected(&[(&INPUT, &x)], |b, x| b.conv2d(x[0], conv));
    let pixels = 2 * OUTPUT[0] * OUTPUT[1];
    let patches = run("patches", &WINDOW, &[&x], pixels * 30);
    same(&product(&patches, 30, |k, n| weight[n * 30 + k], 7), &expected);
}

#[test]
fn depthwise_convolution() {
    let (x, weight) = (noise(1, INPUT.iter().product()), noise(2, 6 * 5));
    let conv = Depthwise2d {
        stride: [2, 1],
        dilation: [1, 2],
        padding: PADDING,
        ..Depthwise2d::new(constant(&[3, 2, 5], &weight))
    };
    let expected = expected(&[(&INPUT, &x)], |b, x| b.depthwise2d(x[0], conv));
    same(&run("depthwise2d", &WINDOW, &[&x, &weight], expected.len()), &expected);
}

#[test]
fn pooling() {
    // All below zero: padding must not win.
    let x: Vec<f32> = noise(1, INPUT.iter().product()).iter().map(|v| v - 2.0).collect();
    let padding = Padding::Explicit { top: 1, bottom: 1, left: 1, right: 0 };
    for kind in [PoolKind::Max, PoolKind::Average] {
        let pool = Pool { kind, kernel: [3, 2], stride: [2, 1], padding };
        let expected = expected(&[(&INPUT, &x)], |b, x| b.pool(x[0], pool));
        let numbers = [5, 9, 8, 5, 8, 3, 2, 2, 1, 1, 1, 1, 1, usize::from(kind == PoolKind::Max)];
        same(&run("pool2d", &numbers, &[&x], expected.len()), &expected);
    }
}

#[test]
fn transposed_convolution() {
    let (x, weight) = (noise(1, 2 * 3 * 5 * 4), noise(2, 6 * 3 * 2 * 4));
    for (size, cut) in [([6, 10], [0, 0]), ([5, 9], [1, 0])] {
        let (stride, activation) = ([2, 2], parlante::ops::Activation::None);
        let conv = ConvTranspose2d { weight: constant(&[6, 3, 2, 4], &weight), bias: None, stride, size, activation };
        let expected = expected(&[(&[2, 3, 5, 4], &x)], |b, x| b.conv_transpose2d(x[0], conv));
        // [out, tap, in] to a column for each tap and output.
        let products = product(&x, 4, |k, n| weight[(n % 6 * 6 + n / 6) * 4 + k], 36);
        let numbers = [6, 3, 5, size[0], size[1], 3, 2, 2, 2, cut[0], cut[1]];
        same(&run("gather_transposed", &numbers, &[&products], expected.len()), &expected);
    }
}

#[test]
fn a_step_of_a_recurrent_unit() {
    let (hidden, channels) = (7, 5);
    let (x, state) = (noise(1, 2 * channels), noise(2, hidden));
    let [w, u] = [(3, channels), (4, hidden)].map(|(seed, columns)| noise(seed, 3 * hidden * columns));
    let [b, c] = [5, 6].map(|seed| noise(seed, 3 * hidden));
    let gru = Gru {
        input_weight: constant(&[3 * hidden, channels], &w),
        hidden_weight: constant(&[3 * hidden, hidden], &u),
        input_bias: constant(&[3 * hidden], &b),
        hidden_bias: constant(&[3 * hidden], &c),
    };
    let expected = expected(&[(&[2, channels], &x), (&[hidden], &state)], |g, x| g.gru(x[0], x[1], gru));
    let mut from_input = product(&x, channels, |k, n| w[n * channels + k], 3 * hidden);
    for row in from_input.chunks_exact_mut(3 * hidden) {
        let constant = |n: usize| b[n] + if n < 2 * hidden { c[n] } else { 0.0 };
        row.iter_mut().enumerate().for_each(|(n, v)| *v += constant(n));
    }
    // Transposed, with the bias as the last row.
    let mut weight: Vec<f32> =
        (0..3 * hidden * hidden).map(|i| u[i % (3 * hidden) * hidden + i / (3 * hidden)]).collect();
    weight.extend(&c);
    let first = run("gru_step", &[0], &[&from_input, &state, &weight], hidden);
    let second = run("gru_step", &[1], &[&from_input, &first, &weight], hidden);
    same(&[first, second].concat(), &expected);
}
