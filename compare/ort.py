"""Runs a network in ONNX Runtime whenever it is told to: the other side of `compare serve`.

usage: ort.py DIR NETWORK THREADS

The first line that is printed says how far its outputs are from ours: the largest difference, absolute and in
relation to one more than the largest number of that output. Then each line on standard input, a number of runs, is answered with the
seconds of one run.
"""

import json
import sys
import time
from pathlib import Path

import numpy
import onnxruntime


def read(path, ports):
    """The raw numbers of a file, cut into arrays."""
    numbers = numpy.fromfile(path, dtype="<f4")
    cuts = numpy.cumsum([int(numpy.prod(port["dims"])) for port in ports])[:-1]
    return [part.reshape(port["dims"]) for part, port in zip(numpy.split(numbers, cuts), ports)]


def main():
    folder, name, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    network = next(n for n in json.loads((folder / "networks.json").read_text()) if n["name"] == name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
    inputs = dict(zip([p["name"] for p in network["inputs"]], read(folder / f"{name}.in", network["inputs"])))
    names = [p["name"] for p in network["outputs"]]
    absolute, relative = 0.0, 0.0
    for ours, theirs in zip(read(folder / f"{name}.out", network["outputs"]), session.run(names, inputs)):
        difference = float(numpy.abs(ours - theirs).max())
        absolute = max(absolute, difference)
        relative = max(relative, difference / (1 + float(numpy.abs(theirs).max())))
    print(json.dumps({"absolute": absolute, "relative": relative}), flush=True)
    for line in sys.stdin:
        runs = int(line)
        start = time.perf_counter()
        for _ in range(runs):
            session.run(names, inputs)
        print((time.perf_counter() - start) / runs, flush=True)


if __name__ == "__main__":
    main()
