/** The kernels of `gru.ts` on wasm: products by `assembly/sgemm.ts`, time steps by `assembly/gru.ts`, rows of the batch apart. */
import { kernels } from '../generated/kernels'
import type { HeapTensor, WasmHeap } from '../heap/wasm-heap'
import { multiply, productCost } from '../kernels/matmul'
import type { GruGradientInputs, GruInputs, GruOptions } from './gru'
import { recurrentActivationCodes } from './recurrent-activations'
import { bytesOf, inputGradients, sizesOf, stateBefore, weightGradient } from './recurrent-wasm'

interface Context<Inputs> {
  heap: WasmHeap
  inputs: Inputs
  attrs: GruOptions
}

/** Nanoseconds for all steps of an example: the products, and about 10 for each gate. */
const stepsCost = ({ time, units }: { time: number; units: number }) =>
  time * (productCost(1, 3 * units, units) + 30 * units)

const codesOf = ({ recurrentActivation, activation }: GruOptions) =>
  [recurrentActivationCodes[recurrentActivation], recurrentActivationCodes[activation]] as const

export function gruOnWasm({ heap, inputs, attrs }: Context<GruInputs>): [HeapTensor, HeapTensor, HeapTensor] {
  const { batch, time, features, units } = sizesOf(inputs)
  const { x, kernel, recurrentKernel, bias, h } = inputs
  const outputs = [1, 3, 1].map((parts) => heap.output([batch, time, parts * units]))
  const [states, gates, reset] = outputs as [HeapTensor, HeapTensor, HeapTensor]
  const sums = { transposeA: false, transposeB: false, m: batch * time, n: 3 * units, k: features }
  multiply(heap, {
    ...sums,
    ...{ a: heap.pointer(x), lda: features, b: heap.pointer(kernel), ldb: 3 * units, c: gates.pointer },
  })
  const [before, recurrent, biases] = [
    heap.pointer(h),
    heap.pointer(recurrentKernel),
    bias ? heap.pointer(bias) : 0,
  ]
  heap.parallelFor(kernels, 'gruSteps', {
    ...{ length: batch, cost: stepsCost({ time, units }), multiple: 4 },
    scratch: heap.kernels(kernels).sgemmScratch(batch, 2 * units, units),
    parameters: (row, count, scratch) => {
      const steps = bytesOf(row * time * units)
      return [
        ...codesOf(attrs),
        ...([gates.pointer + 3 * steps, states.pointer + steps, reset.pointer + steps] as const),
        ...([before + bytesOf(row * units), recurrent, biases, count, time, units, scratch] as const),
      ]
    },
  })
  return [states, gates, reset]
}

type FiveTensors = [HeapTensor, HeapTensor, HeapTensor, HeapTensor, HeapTensor]

export function gruGradientOnWasm({ heap, inputs, attrs }: Context<GruGradientInputs>): FiveTensors {
  const sizes = sizesOf(inputs)
  const { batch, time, units } = sizes
  const rows = batch * time
  const wasm = heap.kernels(kernels)
  const width = 3 * units
  const outputs = [inputs.x, inputs.kernel, inputs.recurrentKernel, { shape: [width] }, inputs.h]
  const gradients = outputs.map(({ shape }) => heap.output(shape)) as FiveTensors
  const [dx, dKernel, dRecurrent, dBias, dh] = gradients.map(({ pointer }) => pointer) as Five
  const { states, gates, reset, dy, h, recurrentKernel } = inputs
  const [allStates, allGates, dStates, before, recurrent] = [states, gates, dy, h, recurrentKernel].map(
    heap.pointer,
  ) as Five
  heap.scratch(bytesOf(rows * (width + units)), (dz) => {
    const hBefore = dz + bytesOf(rows * width)
    heap.parallelFor(kernels, 'gruStepsGradient', {
      ...{ length: batch, cost: stepsCost({ time, units }), multiple: 4 },
      scratch: wasm.gruGradientScratch(batch, units),
      parameters: (row, count, scratch) => {
        const [steps, state] = [bytesOf(row * time * units), bytesOf(row * units)]
        return [
          ...codesOf(attrs),
          ...([allGates + 3 * steps, dz + 3 * steps, allStates + steps, before + state] as const),
          ...([dStates + steps, dh + state, recurrent, count, time, units, scratch] as const),
        ]
      },
    })
    inputGradients(heap, inputs, { dz, width, dx, dKernel, dBias })
    stateBefore(heap, { to: hBefore, h: before, states: allStates, ...sizes })
    // The gates were multiplied with the state before, the candidate with the reset state.
    const left = { rows, units, dz, width }
    weightGradient(heap, { ...left, a: hBefore, from: 0, columns: 2 * units, to: dRecurrent })
    weightGradient(heap, {
      ...{ ...left, a: heap.pointer(reset), from: 2 * units, columns: units, to: dRecurrent },
    })
  })
  return gradients
}

type Five = [number, number, number, number, number]
