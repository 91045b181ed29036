/** Bun's collector lets the heap of an idle program grow for a long time; a collection of a small heap takes milliseconds. */
export function tidyMemory(): void {
  const bun = (globalThis as { readonly Bun?: { gc(force: boolean): void } }).Bun;
  bun?.gc(true);
}
