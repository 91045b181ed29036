import { planConnectedRoutes, type ConnectedNetwork } from "./connected-routes.ts";
import type { Facts } from "../facts.ts";
import { type SecondaryAttachment, planSecondaryNic } from "./multi-nic.ts";
import type { Plan, PlanItem } from "./plan.ts";
import { planUnderlay, type UnderlayAttachment } from "./underlay.ts";

/**
 * What was read of a pod's NIC when it was attached: with the facts all that its plan needs. It is recorded, so that the plan of a
 * running pod follows the facts.
 */
export type NicSurvey = {
  /** Items that no fact changes, made first: the NIC's MAC. */
  readonly first: readonly PlanItem[];
  readonly connected: readonly ConnectedNetwork[];
} & (
  | { readonly type: "underlay"; readonly nic: UnderlayAttachment }
  | { readonly type: "multi-nic"; readonly nic: SecondaryAttachment }
);

/** Plans one NIC of a pod. A NIC of which no family is wired is left as it is. */
export function buildPlan(facts: Facts, survey: NicSurvey): Plan {
  const { items } = survey.type === "underlay" ? planUnderlay(facts, survey.nic) : planSecondaryNic(facts, survey.nic);
  if (items.length === 0) return { items };
  return { items: [...survey.first, ...planConnectedRoutes(survey.nic.ifname, survey.connected), ...items] };
}
