// What all runners in JavaScript share, in Node and in a tab.

/** The part of `values` that belongs to each input or output. */
export function cut(values, ports) {
  let at = 0;
  return ports.map(({ dims }) => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    at += length;
    return values.subarray(at - length, at);
  });
}

/** How far results are from what is expected: absolute, and in relation to one more than the largest number of each. */
export function difference(found, expected) {
  let [absolute, relative] = [0, 0];
  for (const [i, values] of found.entries()) {
    let [worst, largest] = [0, 0];
    for (let j = 0; j < values.length; j++) {
      const one = Math.abs(values[j] - expected[i][j]);
      // What is not a number must not pass for no difference.
      worst = Number.isNaN(one) ? Number.POSITIVE_INFINITY : Math.max(worst, one);
      largest = Math.max(largest, Math.abs(expected[i][j]));
    }
    absolute = Math.max(absolute, worst);
    relative = Math.max(relative, worst / (1 + largest));
  }
  return { absolute, relative };
}

/** A network in ONNX Runtime, on `provider`; call the result to run it. */
export async function onnxRuntime(ort, model, network, numbers, provider) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
  });
  const inputs = cut(numbers, network.inputs);
  const feeds = Object.fromEntries(
    network.inputs.map((port, i) => [port.name, new ort.Tensor("float32", inputs[i], port.dims)]),
  );
  return async () => {
    const results = await session.run(feeds);
    return network.outputs.map((port) => results[port.name].data);
  };
}
