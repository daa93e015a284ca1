/** Measures every case with ours and with stock tfjs on every tested backend, and writes what came out as a page. */
import { writeFile } from 'node:fs/promises'
import * as tf from '@tensorflow/tfjs-core'
import { testedBackends } from '@tfgraft/testing'
import { it } from 'vitest'
import { gradients } from '../mends/gradient-list'
import { trainingKernels } from '../training-kernels/kernel-list'
import { withStock } from '../training-kernels/register'
import { useBackend } from '../use-backend/use-backend'
import { opCases } from './cases/all'
import { complaints, compute, type Measured, type Measurement, measure, truthOf } from './measure'
import type { OpCase } from './op-case'

const page = new URL('../../COVERAGE.md', import.meta.url)

const error = (measured: Measured | undefined) =>
  measured === undefined
    ? '-'
    : typeof measured !== 'number'
      ? 'throws'
      : measured === 0
        ? '0'
        : measured.toExponential(0)

/** What stock does in one word: right, wrong or throws. */
function verdict(c: OpCase, stock: Measurement): string {
  if (!complaints(c, stock).length) return 'right'
  const throws = [stock.forward, stock.gradient].some((m) => m !== undefined && typeof m !== 'number')
  return throws ? '**throws**' : '**wrong**'
}

async function kernelsRun(c: OpCase): Promise<string[]> {
  const { kernelNames } = await tf.profile(async () => {
    const { outputs, gradients: slopes } = compute(c)
    await Promise.all([outputs(), slopes()])
    return []
  })
  return kernelNames
}

/** Does nothing, so that what it runs is the measurement's own. */
const nothing: OpCase = { name: 'nothing', inputs: [{ shape: [3, 4] }], run: (x) => tf.clone(x) }

/** Whether kernels or gradients of ours take part in a case, beyond those of the measurement itself. */
async function ours(c: OpCase): Promise<string> {
  const own = await kernelsRun(nothing)
  const forward = (await kernelsRun({ ...c, gradient: false })).filter((name) => name !== 'Identity')
  const run = [...forward, ...(await kernelsRun(c)).filter((name) => !own.includes(name))]
  const backend = tf.getBackend()
  const isOurs = (name: string) =>
    name.startsWith('backends/') || // the ops that layers are fused to
    trainingKernels.some((kernel) => kernel.kernelName === name && kernel.backendName === backend)
  const mended = c.gradient !== false && forward.some((name) => gradients.some((g) => g.kernelName === name))
  return [run.some(isOurs) ? 'kernel' : '', mended ? 'gradient' : ''].filter(Boolean).join(' + ')
}

async function cells(c: OpCase, backend: string): Promise<string[]> {
  if (c.only && !c.only.includes(backend)) return ['-', '-', '-', 'not supported']
  const truth = truthOf(c)
  // Before ours: stock that computes nothing must not be handed the buffer that holds our result.
  const stock = c.corruptsStock?.includes(backend)
    ? '**corrupts memory**'
    : verdict(
        c,
        await measure(
          c,
          truth,
          withStock(() => compute(c)),
        ),
      )
  const own = await measure(c, truth)
  return [error(own.forward), error(own.gradient), stock, await ours(c)]
}

it('writes COVERAGE.md', async () => {
  const lines = [
    '# What works, on which backend, how exactly',
    '',
    'Written by `pnpm --filter @tfgraft/backends coverage`. Forward: largest error relative to the largest value, against tfjs-cpu or the',
    "op's definition. Gradient: against fourth-order central differences of the op along random directions. Stock: whether tfjs 4.22 alone is",
    'right. Ours: whether kernels or gradients of this package take part, in the op or in its gradient. WebGPU runs on SwiftShader.',
    '',
  ]
  for (const { area, cases } of opCases) {
    const head = testedBackends.flatMap((name) => [`${name} forward`, 'gradient', 'stock', 'ours'])
    lines.push(`## ${area}`, '', `| op | ${head.join(' | ')} |`, `|---|${head.map(() => '---').join('|')}|`)
    const columns: string[][] = cases.map(({ name }) => [name])
    for (const backend of testedBackends) {
      const name = await useBackend(backend)
      for (const [i, c] of cases.entries()) columns[i]!.push(...(await cells(c, name)))
    }
    lines.push(...columns.map((row) => `| ${row.join(' | ')} |`), '')
  }
  await writeFile(page, lines.join('\n'))
})
