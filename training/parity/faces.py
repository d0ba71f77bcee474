"""Compare the face networks and the face finder with TFLite and MediaPipe on portraits.

    pip install -r training/parity/requirements.txt
    python training/parity/faces.py networks  PORTRAITS   # each network, same input: needs ai-edge-litert
    python training/parity/faces.py landmarks PORTRAITS   # from photo to landmarks:  needs mediapipe
    python training/parity/faces.py person    PORTRAITS   # the person mask, same input: needs mediapipe

PORTRAITS is a folder of JPEG files (searched with its subfolders), by default ../shared/data/portraits. The result is
a table; the exit status is 1 when a landmark of the same input differs by more than 0.5 px, or a mask by more than
0.01 in a pixel.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
XTASK = ["cargo", "run", "--release", "--quiet", "--bin", "xtask", "--"]
BUNDLE = ROOT / "build/face_landmarker_v2.task"
LIMIT = 0.5  # px of the landmarker's 256 px input
MASK_LIMIT = 0.01


def read(path):
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def pick(folder, count):
    """All photos of the small sets and as many of the others as fill `count`."""
    files = sorted(Path(folder).rglob("*.jpg"))
    few = [f for f in files if f.parent.name != "sfhq"]
    many = [f for f in files if f.parent.name == "sfhq"]
    step = max(1, len(many) // max(1, count - len(few)))
    return (few + many[::step])[:count]


def ours(files):
    files = [Path(f).resolve() for f in files]
    lines = subprocess.run([*XTASK, "faces", *map(str, files)], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return [json.loads(line) for line in lines.splitlines()]


def run_network(name, inputs):
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "in"), Path(folder, "out")
        np.concatenate([np.ravel(i) for i in inputs]).astype("<f4").tofile(source)
        subprocess.run([*XTASK, "run-network", name, source, result], check=True, cwd=ROOT)
        return np.fromfile(result, "<f4").reshape(len(inputs), -1)


def networks(files):
    """Every network on the same input; returns the largest landmark difference in px."""
    from ai_edge_litert.interpreter import Interpreter

    bundle = zipfile.ZipFile(BUNDLE)

    def reference(member, inputs):
        net = Interpreter(model_content=bundle.read(member))
        net.allocate_tensors()
        out = []
        for one in inputs:
            net.set_tensor(net.get_input_details()[0]["index"], one[None].astype(np.float32))
            net.invoke()
            out.append([net.get_tensor(d["index"]).copy() for d in net.get_output_details()])
        return out

    found = [f for f in ours(files) if f["faces"]]
    crops, boxes, points = [], [], []
    for face in found:
        photo = read(face["file"])
        lm = np.array(face["faces"][0]["points"])[:, :2]
        centre, side = (lm.min(0) + lm.max(0)) / 2, 1.5 * (lm.max(0) - lm.min(0)).max()
        to = np.array([[256 / side, 0, 128 - centre[0] * 256 / side], [0, 256 / side, 128 - centre[1] * 256 / side]])
        crops.append(cv2.warpAffine(photo, to, (256, 256), flags=cv2.INTER_AREA) / np.float32(255))
        boxes.append(cv2.resize(photo, (128, 128), interpolation=cv2.INTER_AREA) / np.float32(127.5) - 1)
        points.append(np.array(lm, np.float32))

    rows = []
    theirs = reference("face_landmarks_detector.tflite", crops)
    mine = run_network("landmarker", crops)
    wanted = np.stack([t[0].ravel() for t in theirs])
    distance = np.linalg.norm((mine[:, :1434] - wanted).reshape(len(found), 478, 3), axis=-1)
    rows.append(("landmarks, px of 256", distance))
    rows.append(("presence, logit", np.abs(mine[:, 1434] - [t[1].item() for t in theirs])))

    theirs = reference("face_detector.tflite", boxes)
    mine = run_network("detector", boxes)
    rows.append(("detector boxes, px of 128", np.abs(mine[:, :14336] - np.stack([t[0].ravel() for t in theirs]))))
    rows.append(("detector scores, logit", np.abs(mine[:, 14336:] - np.stack([t[1].ravel() for t in theirs]))))

    subset = subset_of_blendshapes()
    inputs = [p[subset] for p in points]
    theirs = reference("face_blendshapes.tflite", inputs)
    rows.append(("blendshapes", np.abs(run_network("blendshapes", inputs) - np.stack([t[0].ravel() for t in theirs]))))
    print(f"networks, {len(found)} photos, same input as TFLite")
    table(rows)
    return distance.max()


def subset_of_blendshapes():
    text = (ROOT / "crate/src/portrait/blendshapes.rs").read_text()
    numbers = text.split("SUBSET: [usize; 146] = [")[1].split("]")[0]
    return [int(n) for n in numbers.replace("\n", " ").split(",") if n.strip()]


def landmarks(files):
    """From photo to landmarks, against MediaPipe's FaceLandmarker on the same file."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    task = vision.FaceLandmarker.create_from_options(vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(BUNDLE)), running_mode=vision.RunningMode.IMAGE,
        output_face_blendshapes=True, num_faces=4))
    rows, missed, extra, times, worst = {k: [] for k in ("raw", "aligned", "second", "blend")}, [], 0, [], []
    for result in ours(files):
        photo = read(result["file"])
        height, width = photo.shape[:2]
        theirs = task.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(photo)))
        times.append(result["ms"])
        if not result["faces"]:
            missed.append(Path(result["file"]).name)
            continue
        if not theirs.face_landmarks:
            extra += 1
            continue
        mine = np.array(result["faces"][0]["points"])[:, :2]
        candidates = [np.array([[p.x * width, p.y * height] for p in face]) for face in theirs.face_landmarks]
        i = min(range(len(candidates)), key=lambda i: np.abs(candidates[i] - mine).mean())
        reference = candidates[i]
        # In pixels of the landmarker's input, whose side is about 1.5 faces.
        unit = 256 / (1.5 * (reference.max(0) - reference.min(0)).max())
        distance = np.linalg.norm(mine - reference, axis=1) * unit
        # MediaPipe on the processor samples pixel corners, which moves its landmarks by half an input pixel less half
        # a photo pixel; both are compared.
        shifted = np.linalg.norm(mine + (0.5 / unit - 0.5) - reference, axis=1) * unit
        rows["raw"].append(distance)
        rows["aligned"].append(shifted)
        worst.append((shifted.mean(), Path(result["file"]).name))
        if result["second"][0]:
            again = np.array(result["second"][0]["points"])[:, :2] + (0.5 / unit - 0.5)
            rows["second"].append(np.linalg.norm(again - reference, axis=1) * unit)
        scores = np.array([c.score for c in theirs.face_blendshapes[i]])
        rows["blend"].append(np.abs(scores - result["faces"][0]["blendshapes"]))
    print(f"landmarks, {len(files)} photos; not found by us: {len(missed)} {missed}; only by us: {extra}; "
          f"median {np.median(times):.0f} ms")
    table([("px of 256, as they are", np.array(rows["raw"])), ("px of 256, sampling aligned", np.array(rows["aligned"])),
           ("px of 256, second look", np.array(rows["second"])), ("blendshapes", np.array(rows["blend"]))])
    print("largest:", ", ".join(f"{name} {d:.2f}" for d, name in sorted(worst)[-6:]))


def person(files):
    """The person mask on the same input, against MediaPipe's own interpreter, which knows the network's custom operation;
    returns the largest difference."""
    import mediapipe as mp

    inputs = [cv2.resize(read(f), (256, 256), interpolation=cv2.INTER_AREA) for f in files]
    with mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) as network:
        theirs = np.stack([network.process(i).segmentation_mask.ravel() for i in inputs])
    difference = np.abs(run_network("segmenter", [i / np.float32(255) for i in inputs]) - theirs)
    print(f"person, {len(files)} photos, same input as MediaPipe")
    table([("mask, 0..1", difference)])
    return difference.max()


def table(rows):
    print(f"{'':28} {'mean':>9} {'95 %':>9} {'largest':>9}")
    for name, values in rows:
        values = np.ravel(values)
        print(f"{name:28} {values.mean():9.4f} {np.percentile(values, 95):9.4f} {values.max():9.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["networks", "landmarks", "person"])
    parser.add_argument("portraits", nargs="?", default=ROOT / "../shared/data/portraits")
    parser.add_argument("--count", type=int, default=128)
    arguments = parser.parse_args()
    files = pick(arguments.portraits, arguments.count)
    if arguments.what == "landmarks":
        landmarks(files)
    elif arguments.what == "person":
        if (largest := person(files)) > MASK_LIMIT:
            sys.exit(f"a mask differs by {largest:.4f}, more than {MASK_LIMIT}")
    elif (largest := networks(files)) > LIMIT:
        sys.exit(f"a landmark differs by {largest:.3f} px, more than {LIMIT}")


if __name__ == "__main__":
    main()
