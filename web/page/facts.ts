import type { Latency, Parlante, Stats } from "parlante";
import { el, make } from "./elements.js";
import { show, t } from "./language.js";
import { CHAIN, framesAre, latencyIs } from "./text.js";

const fold = el<HTMLDetailsElement>("facts");
const chain = el("chain");

/** Figures for who asks: how fast the face is made, and how far it is behind a voice. They rest while the fold is shut. */
export function showFacts(parlante: Parlante): void {
  const pieces = CHAIN.map((piece) => make("span", { className: piece }));
  chain.append(...pieces);
  parlante.on("stats", (stats) => {
    if (fold.open) showStats(stats, pieces);
  });
}

function showStats({ fps, frameMs, latency, lost }: Stats, pieces: readonly HTMLElement[]): void {
  show(el("facts-frames"), () => framesAre(fps, frameMs));
  show(el("facts-behind"), latency === undefined ? "factsIdle" : () => latencyIs(latency));
  show(el("facts-lost"), () => (lost > 0 ? t("factsLost", { ms: Math.round(lost) }) : ""));
  chain.hidden = latency === undefined;
  if (latency !== undefined) grow(latency, pieces);
}

/** Each piece as long as it lasts. */
function grow(latency: Latency, pieces: readonly HTMLElement[]): void {
  for (const [i, piece] of CHAIN.entries())
    pieces[i]?.style.setProperty("flex-grow", String(Math.max(0, latency[piece])));
}
