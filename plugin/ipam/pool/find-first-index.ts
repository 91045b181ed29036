/** Finds the index of the first element at or after a number, by bisection; the length if all are before it. */
export function findFirstIndex(sorted: readonly { readonly number: bigint }[], number: bigint): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.number ?? number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
