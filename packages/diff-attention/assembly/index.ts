/** What the kernels of `@tfgraft/diff-attention` export. Pointers and strides are in bytes; all data is float32. */
export { attendBackwardEach } from './backward'
export { decode } from './decode'
export { attendForward } from './forward'
export { gate, gateGradient } from './gate'
export { packColumns, packRows, scaleRows } from './pack'
export { rotate } from './rotate'
