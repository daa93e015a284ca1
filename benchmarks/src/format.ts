/** Numbers as tables show them. */
import type { Estimate } from './statistics'
import type { Metric } from './task'

export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

export const formatBytes = (bytes: number): string =>
  bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(0)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`

export const formatNumber = (value: number): string => {
  if (!Number.isFinite(value)) return `${value}`
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4)
}

export const formatMetric = (value: number, format: Metric['format']): string =>
  format === 'percent' ? `${(100 * value).toFixed(2)} %` : formatNumber(value)

/** `mean` alone for one value, `mean ± half the 95 % interval` for several. */
export function formatEstimate({ mean, high, count }: Estimate, show: (value: number) => string): string {
  if (count === 1) return show(mean)
  // Equal values leave a spread of rounding errors.
  return `${show(mean)} ± ${high - mean < 1e-9 * Math.abs(mean) ? '0' : show(high - mean)}`
}
