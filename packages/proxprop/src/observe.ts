/** A window on the steps of all proximal layers, for `explain`. */
import type { LayerProblem, LayerStep } from './solve-layer'

/** Receives every step of a layer, beside the plain gradient. Its tensors live until it returns. */
export type Observer = (layer: string, problem: LayerProblem, step: LayerStep, gradient: LayerStep) => void

let current: Observer | undefined

/** The observer that is on, if any. */
export const observer = (): Observer | undefined => current

/** Switches an observer on, or off. */
export function observe(next: Observer | undefined): void {
  current = next
}
