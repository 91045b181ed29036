/**
 * Port that stands for the one which a client's kernel chooses. Like {@link RANDOM_PORT} a number on which no server
 * listens, so that it is not taken for a port that somebody gave.
 */
export const CLIENT_PORT = 40_961;

/** Port that stands for the one which a translation with `--random`, `--random-fully` or `fully-random` chooses. */
export const RANDOM_PORT = 40_963;

/** First and last port of each choice: default of net.ipv4.ip_local_port_range; nf_nat_l4proto_unique_tuple. */
const RANGES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [CLIENT_PORT, [32_768, 60_999]],
  [RANDOM_PORT, [1024, 65_535]],
]);

/** Every port of this distance is asked for, which finds shares of about 0.2 %. */
const STEP = 61;
/** Smaller shares are none: one port of a range would make every result a random one. */
const LEAST_SHARE = 0.002;

/** Reports whether the port stands for one that a kernel chooses. */
export function isChosenPort(port: number): boolean {
  return RANGES.has(port);
}

/**
 * Computes the share of the ports that a kernel may have chosen for which a test is true.
 *
 * @param port one that stands for a chosen one
 * @returns 0 to 1; 0 or 1 if it is almost that
 */
export function computePortShare(port: number, test: (port: number) => boolean): number {
  const [first, last] = RANGES.get(port) ?? [port, port];
  let count = 0;
  let passed = 0;
  for (let candidate = first; candidate <= last; candidate += STEP) {
    count += 1;
    if (test(candidate)) passed += 1;
  }
  const share = passed / count;
  if (share < LEAST_SHARE) return 0;
  return share > 1 - LEAST_SHARE ? 1 : share;
}
