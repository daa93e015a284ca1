/** A window on the steps of all proximal layers, for `explain`. */
import type { LayerOperator, LayerProblem, LayerStep } from './solve-layer'

/** One step of one layer, beside its plain gradient. The tensors live until `watch` returns. */
export interface ObservedStep {
  layer: string
  problem: LayerProblem
  step: LayerStep
  gradient: LayerStep
  operator: LayerOperator
}

export interface Observer {
  watch: (step: ObservedStep) => void
  /** Whether the step is not going to be taken, so that nothing may be learned from it. @default false */
  dry?: boolean
}

let current: Observer | undefined

/** The observer that is on, if any. */
export const observer = (): Observer | undefined => current

/** Switches an observer on, or off. */
export function observe(next: Observer | undefined): void {
  current = next
}
