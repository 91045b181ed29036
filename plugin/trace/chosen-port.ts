/**
 * Stands for the source port that a client's kernel chooses. Like {@link RANDOM_PORT} it is a number on which no server
 * listens, so that it is not confused with a given port.
 */
export const CLIENT_PORT = 40_961;

/** Stands for the port that a translation with `--random`, `--random-fully` or `fully-random` chooses. */
export const RANDOM_PORT = 40_963;

/** First and last port of each range: the default of net.ipv4.ip_local_port_range, and that of nf_nat_l4proto_unique_tuple. */
const RANGES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [CLIENT_PORT, [32_768, 60_999]],
  [RANDOM_PORT, [1024, 65_535]],
]);

/** Distance of the tested ports, which finds shares of about 0.2 %. */
const STEP = 61;
/** Smaller shares count as 0: otherwise a rule for a single port would make every result random. */
const LEAST_SHARE = 0.002;

/** Reports whether a port stands for a port that a kernel chooses. */
export function isChosenPort(port: number): boolean {
  return RANGES.has(port);
}

/**
 * Computes for which share of the ports that a kernel may choose a test is true.
 *
 * @param port CLIENT_PORT or RANDOM_PORT
 * @returns 0 to 1; exactly 0 or 1 if the share is close to it
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
