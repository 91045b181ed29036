/**
 * Validation rules of UnderlayPools, in the Common Expression Language. CEL before Kubernetes 1.31 cannot parse addresses, and the API
 * server estimates a rule's cost by the sizes of its strings, which it does not know for elements of lists and bound variables. So only
 * fields and their substrings are split; the rules then calculate with numbers. An IPv4 address a.b.c.d is treated as ::a.b.c.d.
 */

/** Binds a variable: CEL has no `let`, so a list with one element is mapped. */
function bindVariable(name: string, value: string, expression: string): string {
  return `[${value}].map(${name}, ${expression})[0]`;
}

function renderList(length: number, render: (index: number) => string): string {
  return `[${Array.from({ length }, (_, index) => render(index)).join(", ")}]`;
}

const ALL_ONES = `${2n ** 64n - 1n}u`;
const POWERS_OF_TWO = renderList(64, (exponent) => `${2n ** BigInt(exponent)}u`);
const GROUPS = renderList(8, String);

/** Converts a group, written `0x7p0` because CEL reads hexadecimal numbers only as floating point. An empty group is 0. */
function groupToNumber(group: string): string {
  return `(${group} == '0xp0' ? 0u : uint(double(${group})))`;
}

/** Combines four groups, `first` to `first + 3`, to a number of 64 bits. */
function combineGroups(groups: string, first: number): string {
  const [a, b, c, d] = [0, 1, 2, 3].map((index) => `${groups}[${first + index}]`);
  return `((${a} * 65536u + ${b}) * 65536u + ${c}) * 65536u + ${d}`;
}

/** Returns the upper and lower 64 bits of an IPv6 address; `e` has the index of the first empty group, if there is one. */
function ipv6ToNumbers(text: string): string {
  const afterGap = groupToNumber("g[i - 8 + g.size()]");
  const value = `e.size() == 0 || i < e[0] ? ${groupToNumber("g[i]")} : i > e[0] + 8 - g.size() ? ${afterGap} : 0u`;
  const numbers = bindVariable(
    "v",
    `${GROUPS}.map(i, ${value})`,
    `[${combineGroups("v", 0)}, ${combineGroups("v", 4)}]`,
  );
  return bindVariable(
    "g",
    `('0x' + ${text}.replace(':', 'p0:0x') + 'p0').split(':')`,
    bindVariable("e", `${GROUPS}.filter(i, i < g.size() && g[i] == '0xp0')`, numbers),
  );
}

function ipv4ToNumbers(text: string): string {
  const value = "((uint(q[0]) * 256u + uint(q[1])) * 256u + uint(q[2])) * 256u + uint(q[3])";
  return bindVariable("q", `${text}.split('.')`, `[0u, ${value}]`);
}

function addressToNumbers(text: string): string {
  return `(${text}.contains(':') ? ${ipv6ToNumbers(text)} : ${ipv4ToNumbers(text)})`;
}

function beforeSeparator(text: string, separator: string): string {
  return `${text}.substring(0, ${text}.indexOf('${separator}'))`;
}

function afterSeparator(text: string, separator: string): string {
  return `${text}.substring(${text}.indexOf('${separator}') + 1)`;
}

/** Returns the bounds of a network; `n` is its prefix length as IPv6, `p` the size of the part of 64 bits in which the prefix ends. */
function networkToBounds(text: string): string {
  const inLower = "[x[0], x[1] / p * p, x[0], x[1] / p * p + (p - 1u)]";
  const first = "n == 0 ? 0u : n == 64 ? x[0] : x[0] / p * p";
  const last = `n == 0 ? ${ALL_ONES} : n == 64 ? x[0] : x[0] / p * p + (p - 1u)`;
  const bounds = bindVariable(
    "p",
    `${POWERS_OF_TWO}[(128 - n) % 64]`,
    `n > 64 ? ${inLower} : [${first}, 0u, ${last}, ${ALL_ONES}]`,
  );
  const length = `int(${afterSeparator(text, "/")}) + (${text}.contains(':') ? 0 : 96)`;
  return bindVariable("x", addressToNumbers(beforeSeparator(text, "/")), bindVariable("n", length, bounds));
}

/** Returns the first and last address of an address, network or first-last, as four numbers of 64 bits. */
function rangeToBounds(text: string): string {
  const firstLast = [beforeSeparator(text, "-"), afterSeparator(text, "-")].map(addressToNumbers).join(" + ");
  const single = bindVariable("y", addressToNumbers(text), "y + y");
  return `(${text}.contains('/') ? ${networkToBounds(text)} : ${text}.contains('-') ? ${firstLast} : ${single})`;
}

/** Tests that the address at index `i` of one list is not after that at index `j` of the other. */
function isNotAfter(first: string, i: number, second: string, j: number): string {
  return `(${first}[${i}] < ${second}[${j}] || (${first}[${i}] == ${second}[${j}] && ${first}[${i + 1}] <= ${second}[${j + 1}]))`;
}

function containsBounds(outer: string, inner: string): string {
  return `${isNotAfter(outer, 0, inner, 0)} && ${isNotAfter(inner, 2, outer, 2)}`;
}

function overlapBounds(a: string, b: string): string {
  return `${isNotAfter(a, 0, b, 2)} && ${isNotAfter(b, 0, a, 2)}`;
}

/** Tests each address of a field with a pattern: groups of up to four digits, and either eight of them or one `::`. */
function isValidRange(text: string): string {
  const group = "[0-9a-fA-F]{1,4}";
  const gaps = Array.from({ length: 6 }, (_, index) => `(${group}:){1,${6 - index}}(:${group}){1,${index + 1}}`);
  const ipv6 = [`(${group}:){7}${group}`, `(${group}:){1,7}:`, ...gaps, `:((:${group}){1,7}|:)`].join("|");
  return `!${text}.contains(':') || ${text}.matches('^(${ipv6})(/[0-9]+|-(${ipv6}))?$')`;
}

const bindSubnet = (expression: string) => bindVariable("s", rangeToBounds("self.subnet"), expression);
const bindGateway = (expression: string) => bindVariable("w", rangeToBounds("self.gateway"), expression);
const anyHasGateway = (ranges: string) =>
  `${ranges}.exists(r, ${bindVariable("b", rangeToBounds("r"), containsBounds("b", "w"))})`;

/** Rules by their name in crds.template.yaml. */
export const POOL_RULES = {
  validRange: isValidRange("self"),
  subnetWithoutHostBits: bindSubnet(
    bindVariable("a", addressToNumbers(beforeSeparator("self.subnet", "/")), "a[0] == s[0] && a[1] == s[1]"),
  ),
  rangesInSubnet: bindSubnet(`self.ranges.all(r, ${bindVariable("b", rangeToBounds("r"), containsBounds("s", "b"))})`),
  rangesDisjoint: bindVariable(
    "l",
    `self.ranges.map(r, ${rangeToBounds("r")})`,
    `l.all(a, l.filter(b, ${overlapBounds("a", "b")}).size() == 1)`,
  ),
  gatewayInSubnet: `!has(self.gateway) || ${bindSubnet(bindGateway(containsBounds("s", "w")))}`,
  gatewayInNoRange: `!has(self.gateway) || ${bindGateway(`!${anyHasGateway("self.ranges")} || (has(self.excluded) && ${anyHasGateway("self.excluded")})`)}`,
  rangeInOrder: bindVariable("b", rangeToBounds("self"), isNotAfter("b", 0, "b", 2)),
} as const;
