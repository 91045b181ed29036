import { planConnectedRoutes, type ConnectedNetwork } from "./connected-routes.ts";
import type { Facts } from "../facts.ts";
import { planSecondaryNic } from "./multi-nic.ts";
import type { Plan, PlanItem } from "../plan-item.ts";
import { planUnderlay, type UnderlayAttachment } from "./underlay.ts";
import { type SecondaryAttachment } from "./secondary-attachment.ts";

/**
 * State of a pod's NIC when it was attached. Its plan is built from this state and the facts; the state is recorded, so that the
 * plan of a running pod can be rebuilt when the facts change.
 */
export type NicSurvey = {
  /** Items that do not depend on facts and are applied first, such as the NIC's MAC. */
  readonly first: readonly PlanItem[];
  readonly connected: readonly ConnectedNetwork[];
} & (
  | { readonly type: "underlay"; readonly nic: UnderlayAttachment }
  | { readonly type: "multi-nic"; readonly nic: SecondaryAttachment }
);

/** Builds the plan of one NIC of a pod; empty if none of its families can be planned. */
export function buildPlan(facts: Facts, survey: NicSurvey): Plan {
  const { items } = survey.type === "underlay" ? planUnderlay(facts, survey.nic) : planSecondaryNic(facts, survey.nic);
  if (items.length === 0) return { items };
  return { items: [...survey.first, ...planConnectedRoutes(survey.nic.ifname, survey.connected), ...items] };
}
