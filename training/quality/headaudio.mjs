// Runs the npm package @met4citizen/headaudio (MIT) outside of a browser, to compare with it.
//
//     node headaudio.mjs PACKAGE_FOLDER < request.json > answer.json
//
// The request is {"clips": {name: file of 32-bit float samples at 48 kHz}}; the answer {name: {"names", "values", "heard"}}:
// its blend shapes 25 times a second, value k at k / 25 s with all sound up to there heard, and every viseme that it named,
// as [seconds, number]. The package's own processor and node do all the work; only what a browser gives them is stood in for.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const RATE = 48_000;
const BLOCK = 128; // samples that a browser gives at once
const FRAME = RATE / 25;

/** Two ports, each of which hands its messages to the other at once. */
function channel() {
    const ends = [{ onmessage: null }, { onmessage: null }];
    ends.forEach((end, i) => {
        end.postMessage = (data) => ends[1 - i].onmessage?.({ data });
    });
    return ends;
}

let waiting = null; // the processor's end of the port of the node that is being made
let Worklet = null;
let worklet = null;
globalThis.sampleRate = RATE;
globalThis.AudioWorkletProcessor = class {
    constructor() {
        this.port = waiting;
    }
};
globalThis.registerProcessor = (_, type) => {
    Worklet = type;
};
globalThis.AudioWorkletNode = class {
    constructor(_context, _name, options) {
        const [here, there] = channel();
        this.port = here;
        waiting = there;
        worklet = new Worklet(options);
    }
};
globalThis.fetch = async (path) => {
    const bytes = await readFile(path);
    return { ok: true, arrayBuffer: async () => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
};

const folder = resolve(process.argv[2]);
const load = (file) => import(pathToFileURL(`${folder}/modules/${file}`));
await load("headworklet.mjs");
const { HeadAudio } = await load("headaudio.mjs");

async function run(file) {
    const bytes = await readFile(file);
    const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const node = new HeadAudio(null, { processorOptions: { visemeEventsEnabled: true } });
    const shown = Object.fromEntries(node.visemeNames.map((name) => [name, 0]));
    const heard = [];
    node.onvalue = (name, value) => {
        shown[name] = value;
    };
    node.onviseme = ({ viseme, t }) => {
        if (viseme !== null) heard.push([t, viseme]);
    };
    await node.loadModel(`${folder}/dist/model-en-mixed.bin`);
    const parameters = Object.fromEntries(Worklet.parameterDescriptors.map((p) => [p.name, [p.defaultValue]]));
    const values = [];
    let due = 0;
    for (let at = 0; at + BLOCK <= samples.length; at += BLOCK) {
        while (at >= due) {
            node.update(1000 / 25);
            values.push(node.visemeNames.map((name) => Math.round(shown[name] * 1e4) / 1e4));
            due += FRAME;
        }
        worklet.process([[samples.subarray(at, at + BLOCK)]], [], parameters);
    }
    return { names: node.visemeNames, values, heard };
}

let text = "";
for await (const part of process.stdin) text += part;
const answer = {};
for (const [name, file] of Object.entries(JSON.parse(text).clips)) answer[name] = await run(file);
process.stdout.write(JSON.stringify(answer));
