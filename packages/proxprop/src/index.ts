export { explain } from './explain'
export { type ExplainCallbackOptions, explainCallback } from './explain-callback'
export type { LayerReport } from './layer-report'
export type { LinearLayer } from './linear-layer'
export type { ProximalOptions, Solver, TrustRatio } from './options'
export { type Conv2DConfig, ProxConv2D, proxConv2d } from './prox-conv2d'
export { type DenseConfig, ProxDense, proxDense } from './prox-dense'
export {
  type ProximalBackpropagation,
  type ProximalBackpropagationOptions,
  proximalBackpropagation,
  type SigmoidNetwork,
} from './proximal-backpropagation'
export { type ProximalLayer, type ProximalLayerClass, proximalLayer } from './proximal-layer'
export { type ProximalStep, type ProximalStepOptions, proximalStep } from './proximal-step'
export { type ProxpropOptions, proxprop } from './proxprop'
export { type SolveSpdOptions, solveSpd } from './solve-spd/op'
