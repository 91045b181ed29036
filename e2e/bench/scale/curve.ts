/** Growth of a quantity with the number of pods. */
type CurveGrowth = "flat" | "linear" | "worse";

export interface CurvePoint {
  readonly pods: number;
  readonly value: number;
}

/** Share of the last value; a smaller difference is noise and does not count as growth. */
const FLAT_SHARE = 0.15;
/** Maximum ratio of the slopes of both halves for linear growth. */
const STEEPER = 1.6;

/** Fits value = base + slope × pods by least squares. */
export function fitLine(points: readonly CurvePoint[]): { readonly base: number; readonly slope: number } {
  const mean = (read: (point: CurvePoint) => number) =>
    points.reduce((sum, point) => sum + read(point), 0) / points.length;
  const [x, y] = [mean(({ pods }) => pods), mean(({ value }) => value)];
  const spread = points.reduce((sum, { pods }) => sum + (pods - x) ** 2, 0);
  const slope = spread === 0 ? 0 : points.reduce((sum, { pods, value }) => sum + (pods - x) * (value - y), 0) / spread;
  return { base: y - slope * x, slope };
}

/** Classifies growth by the lines through all points and through each half. Pure. */
export function classifyGrowth(points: readonly CurvePoint[]): CurveGrowth {
  const last = points.at(-1);
  const [first] = points;
  if (first === undefined || last === undefined) return "flat";
  const rise = fitLine(points).slope * (last.pods - first.pods);
  if (rise <= FLAT_SHARE * Math.abs(last.value)) return "flat";
  const middle = Math.floor(points.length / 2);
  const [early, late] = [fitLine(points.slice(0, middle + 1)).slope, fitLine(points.slice(middle)).slope];
  return late > STEEPER * Math.max(early, fitLine(points).slope / 2) ? "worse" : "linear";
}
