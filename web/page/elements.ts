/** The element with an id; the page is broken without it, so a missing one is an error at once. */
export function el<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no element "${id}"`);
  return found as T;
}

/** A new element with properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** Fills the track of a range input up to its thumb. */
export function fillTrack(input: HTMLInputElement): void {
  const [min, max] = [Number(input.min), Number(input.max)];
  input.style.setProperty("--at", String((input.valueAsNumber - min) / (max - min || 1)));
}
