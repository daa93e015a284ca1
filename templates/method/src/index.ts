export { type LabelSmoothingOptions, labelSmoothing, smoothLabels } from './label-smoothing'
