import { createSvgElement } from "./dom.ts";
import type { ShownHop, ShownPath } from "./shown-path.ts";

const COLUMN = 340;
const GAP = 40;
const [POD_TOP, POD_HEIGHT, POD_WIDTH] = [44, 66, 146];
const [PORT_Y, VXLAN_Y, WIRE_Y, BAR_Y] = [168, 222, 276, 322];
const HEIGHT = 364;

interface Point {
  readonly x: number;
  readonly y: number;
}

const getNodeName = (place: string): string => {
  const number = /-(\d+)-[ab]$/.exec(place)?.[1];
  return number === undefined ? place : `node-${number}`;
};
const isPod = (place: string): boolean => getNodeName(place) !== place;

/** Positions in the drawing: a column for each node with its pods on top, its links below, and the wire at the bottom. */
class Layout {
  readonly columns: readonly string[];
  readonly #pods = new Map<string, readonly string[]>();
  readonly #links = new Map<string, readonly string[]>();

  constructor(hops: readonly ShownHop[]) {
    this.columns = [...new Set(hops.map(({ place }) => getNodeName(place)))].sort();
    for (const column of this.columns)
      this.#pods.set(column, [
        ...new Set(hops.map((hop) => hop.place).filter((p) => isPod(p) && getNodeName(p) === column)),
      ]);
    for (const { place } of hops)
      this.#links.set(place, [
        ...new Set(hops.filter((hop) => hop.place === place).map((hop) => removeEncapsulation(hop.link))),
      ]);
  }

  get width(): number {
    return this.columns.length * (COLUMN + GAP) - GAP + 20;
  }
  x(column: string): number {
    return 10 + this.columns.indexOf(column) * (COLUMN + GAP);
  }
  pods(column: string): readonly { readonly name: string; readonly x: number }[] {
    return (this.#pods.get(column) ?? []).map((name, index) => ({
      name,
      x: this.x(column) + 14 + index * (POD_WIDTH + 20),
    }));
  }
  links(place: string): readonly string[] {
    return this.#links.get(place) ?? [];
  }
  at({ place, link }: Pick<ShownHop, "place" | "link">): Point {
    const column = getNodeName(place);
    const index = this.links(place)
      .filter((name) => isPod(place) || !["wire", "vxlan"].includes(name))
      .indexOf(removeEncapsulation(link));
    if (isPod(place)) {
      const pod = this.pods(column).find(({ name }) => name === place);
      return { x: (pod?.x ?? 0) + 36 + index * 74, y: POD_TOP + POD_HEIGHT };
    }
    const x = this.x(column);
    if (removeEncapsulation(link) === "wire") return { x: x + COLUMN / 2, y: WIRE_Y };
    if (link === "vxlan") return { x: x + 250, y: VXLAN_Y };
    return { x: x + 50 + Math.max(0, index) * 74, y: PORT_Y };
  }
}

/** Encapsulated and plain packets on the wire use one link. */
const removeEncapsulation = (link: string): string => (link.startsWith("wire") ? "wire" : link);

/** Draws a path over nodes, pods and links with numbered steps: the request solid, the reply dashed. */
export function drawPath(path: ShownPath, allHops: readonly ShownHop[], title: string): SVGSVGElement {
  const layout = new Layout(allHops);
  const numbered = [
    ...path.request.map((hop, index) => ({ hop, number: index + 1, half: "request" as const })),
    ...path.reply.map((hop, index) => ({ hop, number: path.request.length + index + 1, half: "reply" as const })),
  ];
  const spots = placeNumbers(numbered.map(({ hop }) => layout.at(hop)));
  const line = (half: "request" | "reply") => {
    const steps = numbered.flatMap((step, index) => {
      const spot = spots[index];
      return step.half === half && spot !== undefined ? [{ ...step, spot }] : [];
    });
    const depth = BAR_Y + (half === "request" ? 7 : 13);
    const points = steps.flatMap(({ hop, spot }, index) => {
      const previous = steps[index - 1];
      const overWire = previous !== undefined && getNodeName(previous.hop.place) !== getNodeName(hop.place);
      return overWire ? [{ x: previous.spot.x, y: depth }, { x: spot.x, y: depth }, spot] : [spot];
    });
    return createSvgElement("polyline", {
      class: half,
      points: points.map(({ x, y }) => `${x},${y}`).join(" "),
      fill: "none",
    });
  };
  return createSvgElement(
    "svg",
    {
      viewBox: `0 0 ${layout.width} ${HEIGHT}`,
      role: "img",
      "aria-label": title,
      style: `max-width:${layout.width}px`,
    },
    ...layout.columns.flatMap((column) => drawColumn(column, layout)),
    createSvgElement("rect", { class: "bar", x: 10, y: BAR_Y, width: layout.width - 20, height: 20, rx: 4 }),
    createSvgElement("text", { class: "small", x: 20, y: BAR_Y + 34 }, "underlay"),
    line("request"),
    line("reply"),
    ...numbered.map(({ number, half }, index) =>
      createSvgElement(
        "g",
        { class: `step ${half}` },
        createSvgElement("circle", { cx: spots[index]?.x ?? 0, cy: spots[index]?.y ?? 0, r: 9 }),
        createSvgElement("text", { x: spots[index]?.x ?? 0, y: (spots[index]?.y ?? 0) + 4 }, String(number)),
      ),
    ),
  );
}

/** Places steps at the same link next to each other. */
function placeNumbers(points: readonly Point[]): readonly Point[] {
  const taken = new Map<string, number>();
  return points.map(({ x, y }) => {
    const key = `${x},${y}`;
    const count = taken.get(key) ?? 0;
    taken.set(key, count + 1);
    return {
      x: x + (count % 2 === 0 ? -1 : 1) * 11 + Math.floor(count / 2) * 24 * (count % 2 === 0 ? -1 : 1),
      y: y + 14,
    };
  });
}

function drawColumn(column: string, layout: Layout): readonly SVGElement[] {
  const x = layout.x(column);
  return [
    createSvgElement("rect", { class: "node", x, y: 10, width: COLUMN, height: BAR_Y - 24, rx: 8 }),
    createSvgElement("text", { class: "name", x: x + 12, y: 30 }, column),
    ...layout
      .pods(column)
      .flatMap((pod) => [
        createSvgElement("rect", { class: "pod", x: pod.x, y: POD_TOP, width: POD_WIDTH, height: POD_HEIGHT, rx: 6 }),
        createSvgElement("text", { x: pod.x + 10, y: POD_TOP + 22 }, pod.name),
        ...layout.links(pod.name).map((link) => drawLabel(link, layout.at({ place: pod.name, link }), 0, -8)),
      ]),
    ...layout
      .links(column)
      .map((link) => drawLabel(link === "wire" ? "uplink" : link, layout.at({ place: column, link }), 42, 18)), // next to its steps
  ];
}

const drawLabel = (text: string, { x, y }: Point, right: number, down: number): SVGElement =>
  createSvgElement("text", { class: "small link", x: x + right, y: y + down }, text);
