/** The kernels of `lstm.ts` on wasm: products by `assembly/sgemm.ts`, time steps by `assembly/lstm-steps.ts`, rows of the batch apart. */
import { kernels } from '../generated/kernels'
import type { HeapTensor, WasmHeap } from '../heap/wasm-heap'
import { multiply, productCost } from '../kernels/matmul'
import type { LstmGradientInputs, LstmInputs, LstmOptions } from './lstm'

interface Context<Inputs> {
  heap: WasmHeap
  inputs: Inputs
  attrs: LstmOptions
}

/** Lengths in floats. `states` and `gates` are those of one time step of one example. */
function sizesOf({ x, h }: LstmInputs) {
  const [batch, time, features] = x.shape as [number, number, number]
  const units = h.shape[1]!
  return { batch, time, features, units, states: 2 * units, gates: 4 * units }
}

const bytesOf = (floats: number) => 4 * floats

/** Nanoseconds for all steps of an example: the product, and about 10 for each gate. */
const stepsCost = (inputs: LstmInputs) => {
  const { time, units, gates } = sizesOf(inputs)
  return time * (productCost(1, gates, units) + 10 * gates)
}

export function lstmOnWasm({ heap, inputs, attrs }: Context<LstmInputs>): [HeapTensor, HeapTensor] {
  const { batch, time, features, units, states, gates } = sizesOf(inputs)
  const wasm = heap.kernels(kernels)
  const hard = attrs.recurrentActivation === 'hardSigmoid'
  const [allStates, allGates] = [heap.output([batch, time, states]), heap.output([batch, time, gates])]
  const { x, kernel, recurrentKernel, bias, h, c } = inputs
  const recurrent = heap.pointer(recurrentKernel)
  const sums = { transposeA: false, transposeB: false, m: batch * time, n: gates, k: features }
  multiply(heap, {
    ...sums,
    ...{ a: heap.pointer(x), lda: features, b: heap.pointer(kernel), ldb: gates, c: allGates.pointer },
  })
  const [hidden, cell, biases] = [heap.pointer(h), heap.pointer(c), bias ? heap.pointer(bias) : 0]
  heap.parallelFor(kernels, 'lstmSteps', {
    ...{
      length: batch,
      cost: stepsCost(inputs),
      multiple: 4,
      scratch: wasm.sgemmScratch(batch, gates, units),
    },
    parameters: (row, count, scratch) => [
      ...([
        hard,
        allGates.pointer + bytesOf(row * time * gates),
        allStates.pointer + bytesOf(row * time * states),
      ] as const),
      ...([hidden + bytesOf(row * units), cell + bytesOf(row * units), recurrent, biases] as const),
      ...([count, time, units, scratch] as const),
    ],
  })
  return [allStates, allGates]
}

type SixTensors = [HeapTensor, HeapTensor, HeapTensor, HeapTensor, HeapTensor, HeapTensor]

export function lstmGradientOnWasm({ heap, inputs, attrs }: Context<LstmGradientInputs>): SixTensors {
  const { batch, time, features, units, states, gates } = sizesOf(inputs)
  const rows = batch * time
  const wasm = heap.kernels(kernels)
  const hard = attrs.recurrentActivation === 'hardSigmoid'
  const { pointer } = heap
  const [x, kernel, recurrentKernel] = [
    pointer(inputs.x),
    pointer(inputs.kernel),
    pointer(inputs.recurrentKernel),
  ]
  const [h, c] = [pointer(inputs.h), pointer(inputs.c)]
  const [allStates, allGates, dy] = [pointer(inputs.states), pointer(inputs.gates), pointer(inputs.dy)]
  const outputs = [inputs.x, inputs.kernel, inputs.recurrentKernel, { shape: [gates] }, inputs.h, inputs.c]
  const gradients = outputs.map(({ shape }) => heap.output(shape)) as SixTensors
  const [dx, dKernel, dRecurrent, dBias, dh, dc] = gradients.map(({ pointer }) => pointer) as Six
  heap.scratch(bytesOf(rows * (gates + units) + gates), (dz) => {
    const hBefore = dz + bytesOf(rows * gates)
    const partial = hBefore + bytesOf(rows * units)
    heap.parallelFor(kernels, 'lstmStepsGradient', {
      ...{
        length: batch,
        cost: stepsCost(inputs),
        multiple: 4,
        scratch: wasm.sgemmScratch(batch, units, gates),
      },
      parameters: (row, count, scratch) => {
        const [ofGates, ofStates, ofUnits] = [time * gates, time * states, units].map((size) =>
          bytesOf(row * size),
        ) as Three
        return [
          ...([
            hard,
            allGates + ofGates,
            dz + ofGates,
            allStates + ofStates,
            c + ofUnits,
            dy + ofStates,
          ] as const),
          ...([dh + ofUnits, dc + ofUnits, recurrentKernel, count, time, units, scratch] as const),
        ]
      },
    })
    const left = { transposeA: true, transposeB: false }
    const right = { transposeA: false, transposeB: true }
    multiply(heap, {
      ...right,
      m: rows,
      n: features,
      k: gates,
      a: dz,
      lda: gates,
      b: kernel,
      ldb: gates,
      c: dx,
    })
    multiply(heap, {
      ...left,
      m: features,
      n: gates,
      k: rows,
      a: x,
      lda: features,
      b: dz,
      ldb: gates,
      c: dKernel,
    })
    // What the recurrent weights were multiplied with: the given state, then those of all steps but the last.
    wasm.copyRows(hBefore, time * units, h, units, batch, units)
    for (let b = 0; b < batch; b++)
      wasm.copyRows(
        ...([hBefore + bytesOf((b * time + 1) * units), units] as const),
        ...([allStates + bytesOf(b * time * states), states, time - 1, units] as const),
      )
    multiply(heap, {
      ...left,
      m: units,
      n: gates,
      k: rows,
      a: hBefore,
      lda: units,
      b: dz,
      ldb: gates,
      c: dRecurrent,
    })
    wasm.sumColumns(dz, dBias, partial, 1, rows, gates, 1)
  })
  return gradients
}

type Three = [number, number, number]
type Six = [number, number, number, number, number, number]
