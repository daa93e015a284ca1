/** Tables and the roofline plot of the micro-benchmarks. */
import type { environment } from '@tfgraft/bench/measure'
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { formatBytes } from '../src/format'
import { style } from '../src/report/style'
import type { OpCase } from './cases'
import type { Limits } from './limits'

export interface OpRow extends Pick<OpCase, 'name' | 'group' | 'flops' | 'bytes'> {
  /** By contender: `ours`, `composed` of tf ops, `stock` kernels. */
  ms: Partial<Record<'ours' | 'composed' | 'stock', number>>
  /** Most bytes alive during a call beyond inputs. */
  memory: number
  composedMemory?: number
}

export interface OpReport {
  command: string
  environment: ReturnType<typeof environment>
  limits: Limits
  rows: OpRow[]
}

/** GFLOP/s that the machine allows at this ratio of operations to bytes. */
export const bound = (
  { gflops, gigabytesPerSecond }: Limits,
  { flops, bytes }: Pick<OpRow, 'flops' | 'bytes'>,
): number => Math.min(gflops, (flops / bytes) * gigabytesPerSecond)

const rate = ({ flops }: OpRow, ms: number) => flops / ms / 1e6
const digits = (value: number | undefined) =>
  value === undefined ? '' : value >= 100 ? value.toFixed(0) : value.toPrecision(3)

const columns = [
  'op',
  'ours ms',
  'composed ms',
  'stock ms',
  'composed / ours',
  'stock / ours',
  'GFLOP/s',
  'GB/s',
  'of the roofline',
  'memory',
  'composed memory',
]

function cells(row: OpRow, limits: Limits): string[] {
  const { ours, composed, stock } = row.ms
  const ratio = (other: number | undefined) =>
    other === undefined || ours === undefined ? '' : `${digits(other / ours)} x`
  return [
    row.name,
    ...[ours, composed, stock].map(digits),
    ratio(composed),
    ratio(stock),
    digits(ours && rate(row, ours)),
    digits(ours && row.bytes / ours / 1e6),
    ours ? `${((100 * rate(row, ours)) / bound(limits, row)).toFixed(0)} %` : '',
    formatBytes(row.memory),
    row.composedMemory === undefined ? '' : formatBytes(row.composedMemory),
  ]
}

const groups = ({ rows }: OpReport) => [...new Set(rows.map(({ group }) => group))]
const machine = ({ environment: e, limits }: OpReport) =>
  `${e.cpu}, ${e.cores} cores (load ${e.load}), backend ${e.backend}, Node ${e.node}, tfjs ${e.tfjs}, commit ${e.commit}. ` +
  `Measured limits of one thread in WebAssembly: ${limits.gflops.toFixed(0)} GFLOP/s (multiply and add), ${limits.gigabytesPerSecond.toFixed(1)} GB/s (copy). ` +
  'The share of the roofline is that of the lower limit at the ideal ratio of operations to bytes; data within the caches may exceed it.'

export function opsMarkdown(report: OpReport): string {
  const line = (row: string[]) => `| ${row.join(' | ')} |`
  const table = (group: string) =>
    [
      line(columns),
      line(columns.map((_, i) => (i ? '--:' : '---'))),
      ...report.rows.filter((row) => row.group === group).map((row) => line(cells(row, report.limits))),
    ].join('\n')
  return `# Ops and layers on ${report.environment.backend}\n\n${machine(report)}\n\n${groups(report)
    .map((group) => `## ${group}\n\n${table(group)}`)
    .join('\n\n')}\n`
}

export async function opsHtml(report: OpReport): Promise<string> {
  const escaped = (text: string) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
  const table = (group: string) =>
    `<h2>${group}</h2><div class="scroll"><table><thead><tr>${columns.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${report.rows
      .filter((row) => row.group === group)
      .map(
        (row) =>
          `<tr>${cells(row, report.limits)
            .map((cell) => `<td>${escaped(cell)}</td>`)
            .join('')}</tr>`,
      )
      .join('')}</tbody></table></div>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>tfgraft ops on ${escaped(report.environment.backend)}</title><style>${style}</style></head>
<body><main><h1>Ops and layers on ${escaped(report.environment.backend)}</h1><p class="muted">${escaped(machine(report))}</p>
<figure><figcaption>Roofline: filled is ours, hollow is stock or the composition</figcaption>${await roofline(report)}</figure>
${groups(report).map(table).join('\n')}
<pre>${escaped(report.command)}</pre></main></body></html>
`
}

/** Rate over arithmetic intensity, both logarithmic, below the machine's two bounds. */
async function roofline({ rows, limits }: OpReport): Promise<string> {
  const points = rows.flatMap((row) =>
    Object.entries(row.ms).map(([side, ms]) => ({
      name: row.name,
      group: row.group,
      side: side === 'ours' ? 'ours' : 'other',
      intensity: row.flops / row.bytes,
      rate: rate(row, ms),
    })),
  )
  const intensities = points.map(({ intensity }) => intensity)
  const ridge = limits.gflops / limits.gigabytesPerSecond
  const roof = [Math.min(0.1, ...intensities), ridge, Math.max(2 * ridge, ...intensities)].map(
    (intensity) => ({
      intensity,
      rate: bound(limits, { flops: intensity, bytes: 1 }),
    }),
  )
  const names = [...new Set(rows.map(({ group }) => group))]
  const spec: TopLevelSpec = {
    width: 720,
    height: 360,
    background: 'transparent',
    layer: [
      {
        data: { values: roof },
        mark: { type: 'line', color: 'var(--muted)', strokeDash: [6, 4] },
        encoding: {
          x: {
            field: 'intensity',
            type: 'quantitative',
            scale: { type: 'log' },
            title: 'operations per byte',
          },
          y: { field: 'rate', type: 'quantitative', scale: { type: 'log' }, title: 'GFLOP/s' },
        },
      },
      ...(['other', 'ours'] as const).map((side) => ({
        data: { values: points.filter((point) => point.side === side) },
        mark: {
          type: 'point' as const,
          filled: side === 'ours',
          size: side === 'ours' ? 60 : 40,
          opacity: 0.9,
        },
        encoding: {
          x: { field: 'intensity', type: 'quantitative' as const },
          y: { field: 'rate', type: 'quantitative' as const },
          color: {
            field: 'group',
            type: 'nominal' as const,
            title: null,
            scale: { domain: names, range: names.map((_, index) => `var(--series-${index % 8})`) },
            legend: { orient: 'top' as const },
          },
        },
      })),
    ],
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: {
        labelColor: 'currentColor',
        titleColor: 'currentColor',
        domainColor: 'var(--line)',
        tickColor: 'var(--line)',
        gridColor: 'var(--line)',
      },
      legend: { labelColor: 'currentColor', labelFontSize: 13 },
    },
  }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}
