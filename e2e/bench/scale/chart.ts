import { scaleLinear } from "d3-scale";
import { line as path } from "d3-shape";
import type { CurvePoint } from "./curve.ts";

export interface ChartPanel {
  readonly title: string;
  readonly unit: string;
  readonly points: readonly CurvePoint[];
}

const WIDTH = 300;
const HEIGHT = 190;
const COLUMNS = 3;
const MARGIN = { top: 40, right: 16, bottom: 32, left: 52 } as const;
const TICKS = 4;

/** Renders panels as one SVG, each with its value from 0 by the number of pods. Pure. */
export function renderChart(title: string, panels: readonly ChartPanel[]): string {
  const columns = Math.min(COLUMNS, panels.length);
  const height = HEIGHT * Math.ceil(panels.length / columns);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...panels.map((panel, index) => {
      const position = `${(index % columns) * WIDTH} ${Math.floor(index / columns) * HEIGHT}`;
      return `<g transform="translate(${position})">${renderPanel(panel)}</g>`;
    }),
    "</svg>",
    "",
  ].join("\n");
}

function renderPanel({ title, unit, points }: ChartPanel): string {
  const highest = Math.max(1e-9, ...points.map(({ value }) => value));
  const x = scaleLinear()
    .domain([0, Math.max(1, ...points.map(({ pods }) => pods))])
    .range([MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear()
    .domain([0, highest])
    .nice(TICKS)
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const drawn = path<CurvePoint>(
    ({ pods }) => x(pods),
    ({ value }) => y(value),
  )([...points]);
  const below = HEIGHT - MARGIN.bottom + 14;
  return [
    `<text x="${MARGIN.left}" y="22" font-size="13" font-weight="bold">${escapeXml(title)}${unit === "" ? "" : `, ${escapeXml(unit)}`}</text>`,
    ...y
      .ticks(TICKS)
      .flatMap((tick) => [
        `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/>`,
        `<text x="${MARGIN.left - 6}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`,
      ]),
    ...x.ticks(TICKS).map((tick) => `<text x="${x(tick)}" y="${below}" text-anchor="middle">${tick}</text>`),
    `<text x="${WIDTH - MARGIN.right}" y="${below + 13}" text-anchor="end" fill="#666">pods</text>`,
    `<path d="${drawn ?? ""}" fill="none" stroke="#0b62a4" stroke-width="2"/>`,
    ...points.map(({ pods, value }) => `<circle cx="${x(pods)}" cy="${y(value)}" r="3" fill="#0b62a4"/>`),
  ].join("");
}

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
