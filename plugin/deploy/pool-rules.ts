/** Validation rules of UnderlayPools for IPv4, in the Common Expression Language. CEL of Kubernetes 1.26 cannot parse addresses. */

/** Number of addresses of a network by its prefix length, 0 to 32. */
const SIZES = `[${Array.from({ length: 33 }, (_, length) => 2 ** (32 - length)).join(", ")}]`;

/** Splits `a.b.c.d/n` into five parts, `a.b.c.d-e.f.g.h` into eight. */
function splitText(text: string): string {
  return `${text}.replace('/', '.').replace('-', '.').split('.')`;
}

/** Returns the number of the address whose four parts begin at `first`. */
function toNumber(parts: string, first = 0): string {
  const factors = [16777216, 65536, 256];
  const terms = factors.map((factor, index) => `int(${parts}[${first + index}]) * ${factor}`);
  return `(${terms.join(" + ")} + int(${parts}[${first + 3}]))`;
}

/** Binds a variable: CEL has no `let`, so a list with one element is tested. */
function bindVariable(name: string, value: string, expression: string): string {
  return `[${value}].all(${name}, ${expression})`;
}

/** Binds `s` to the parts of the subnet and `size` to its number of addresses. */
function bindSubnet(expression: string): string {
  return bindVariable("s", splitText("self.subnet"), bindVariable("size", `${SIZES}[int(s[4])]`, expression));
}

const SUBNET_IS_IPV6 = "self.subnet.contains(':')";
const NO_IPV4_GATEWAY = "!has(self.gateway) || self.gateway.contains(':')";
const SUBNET_NUMBER = `${toNumber("s")} / size`;

const rangeInSubnet = [
  `${toNumber("q")} / size == ${SUBNET_NUMBER}`,
  `(q.size() != 8 || ${toNumber("q", 4)} / size == ${SUBNET_NUMBER})`,
  "(q.size() != 5 || int(q[4]) >= int(s[4]))",
].join(" && ");

/** `z` is the size of the range's network, or 1: then the range begins and ends with single addresses. */
const gatewayOutsideRange = bindVariable(
  "z",
  `q.size() == 5 ? ${SIZES}[int(q[4])] : 1`,
  [
    `${toNumber("g")} / z < ${toNumber("q")} / z`,
    `(q.size() == 8 ? ${toNumber("q", 4)} : ${toNumber("q")}) / z < ${toNumber("g")} / z`,
  ].join(" || "),
);

/** Rules by their name in crds.template.yaml. */
export const POOL_RULES = {
  subnetWithoutHostBits: `${SUBNET_IS_IPV6} || ${bindSubnet(`${toNumber("s")} % size == 0`)}`,
  rangesInSubnet: `${SUBNET_IS_IPV6} || ${bindSubnet(
    `self.ranges.all(r, r.contains(':') || ${bindVariable("q", splitText("r"), rangeInSubnet)})`,
  )}`,
  gatewayInSubnet: `${NO_IPV4_GATEWAY} || ${SUBNET_IS_IPV6} || ${bindSubnet(
    bindVariable("g", "self.gateway.split('.')", `${toNumber("g")} / size == ${SUBNET_NUMBER}`),
  )}`,
  gatewayInNoRange: `${NO_IPV4_GATEWAY} || ${SUBNET_IS_IPV6} || (has(self.excluded) && self.excluded.exists(e, e == self.gateway)) || ${bindVariable(
    "g",
    "self.gateway.split('.')",
    `self.ranges.all(r, r.contains(':') || ${bindVariable("q", splitText("r"), gatewayOutsideRange)})`,
  )}`,
  rangeInOrder: `!self.contains('-') || self.contains(':') || ${bindVariable("q", "self.replace('-', '.').split('.')", `${toNumber("q")} <= ${toNumber("q", 4)}`)}`,
} as const;
