import type { BackendReport, BackendStatus } from './backend-report'

const columns = (rows: string[][]) => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
}

const kernelsOf = ({ kernels }: BackendStatus) =>
  Object.entries(kernels)
    .filter(([, count]) => count > 0)
    .map(([because, count]) => `${count} ${because}`)
    .join(', ') || '-'

/** The report as a table for a terminal. */
export function formatReport({ backends, auto, current }: BackendReport): string {
  const rows = backends.map((status) => [
    `${status.name === auto.name ? '>' : ' '} ${status.name}`,
    status.available ? 'yes' : 'no',
    status.speed ? status.speed.gigaflops.toFixed(1) : '-',
    status.speed ? status.speed.gigabytesPerSecond.toFixed(1) : '-',
    kernelsOf(status),
    status.detail,
  ])
  return [
    ...columns([
      ['  backend', 'here', 'GFLOP/s', 'GB/s', 'our kernels (stock lacks, gets wrong, is slow)', 'detail'],
      ...rows,
    ]),
    '',
    `auto: ${auto.why}`,
    `current: ${current || 'none'}`,
  ].join('\n')
}
