/** The kernels of `lstm.ts` on wasm: products by `assembly/sgemm.ts`, the rest of a step by `assembly/lstm.ts`. */
import { kernels } from '../generated/kernels'
import type { HeapTensor, WasmHeap } from '../heap/wasm-heap'
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

export function lstmOnWasm({ heap, inputs, attrs }: Context<LstmInputs>): [HeapTensor, HeapTensor] {
  const { batch, time, features, units, states, gates } = sizesOf(inputs)
  const wasm = heap.kernels(kernels)
  const hard = attrs.recurrentActivation === 'hardSigmoid'
  const [allStates, allGates] = [heap.output([batch, time, states]), heap.output([batch, time, gates])]
  const { x, kernel, recurrentKernel, bias, h, c } = inputs
  const recurrent = heap.pointer(recurrentKernel)
  const scratchBytes = Math.max(
    wasm.sgemmScratch(batch * time, gates, features),
    wasm.sgemmScratch(batch, gates, units),
  )
  heap.scratch(scratchBytes, (scratch) => {
    wasm.sgemm(
      ...([false, false, batch * time, gates, features, 1, heap.pointer(x), features] as const),
      ...([heap.pointer(kernel), gates, allGates.pointer, gates, false, scratch] as const),
    )
    // Where the state before this step lies, and how far apart its rows are.
    let [hBefore, cBefore, step] = [heap.pointer(h), heap.pointer(c), units]
    for (let t = 0; t < time; t++) {
      const sums = allGates.pointer + bytesOf(t * gates)
      const hidden = allStates.pointer + bytesOf(t * states)
      const cell = hidden + bytesOf(units)
      wasm.sgemm(
        ...([false, false, batch, gates, units, 1, hBefore, step] as const),
        ...([recurrent, gates, sums, time * gates, true, scratch] as const),
      )
      wasm.lstmGates(
        ...([hard, sums, bytesOf(time * gates), bias ? heap.pointer(bias) : 0] as const),
        ...([cBefore, bytesOf(step), hidden, cell, bytesOf(time * states), batch, units] as const),
      )
      ;[hBefore, cBefore, step] = [hidden, cell, time * states]
    }
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
  const scratchBytes = Math.max(
    wasm.sgemmScratch(batch, units, gates),
    wasm.sgemmScratch(rows, features, gates),
    wasm.sgemmScratch(Math.max(features, units), gates, rows),
    bytesOf(gates),
  )
  // From the last step on, these two carry what flows to the step before.
  heap.floats(dh, batch * units).fill(0)
  heap.floats(dc, batch * units).fill(0)
  heap.scratch(bytesOf(rows * (gates + units)) + scratchBytes, (dz) => {
    const hBefore = dz + bytesOf(rows * gates)
    const scratch = hBefore + bytesOf(rows * units)
    for (let t = time - 1; t >= 0; t--) {
      const [sums, state] = [bytesOf(t * gates), bytesOf(t * states)]
      const cell = allStates + state + bytesOf(units)
      const [cBefore, step] = t === 0 ? [c, units] : [cell - bytesOf(states), time * states]
      wasm.lstmGatesGradient(
        ...([hard, allGates + sums, dz + sums, bytesOf(time * gates), cBefore, bytesOf(step)] as const),
        ...([cell, dy + state, bytesOf(time * states), dh, dc, batch, units] as const),
      )
      wasm.sgemm(
        ...([false, true, batch, units, gates, 1, dz + sums, time * gates] as const),
        ...([recurrentKernel, gates, dh, units, false, scratch] as const),
      )
    }
    wasm.sgemm(
      ...([false, true, rows, features, gates, 1, dz, gates] as const),
      ...([kernel, gates, dx, features, false, scratch] as const),
    )
    wasm.sgemm(
      ...([true, false, features, gates, rows, 1, x, features] as const),
      ...([dz, gates, dKernel, gates, false, scratch] as const),
    )
    // What the recurrent weights were multiplied with: the given state, then those of all steps but the last.
    wasm.copyRows(hBefore, time * units, h, units, batch, units)
    for (let b = 0; b < batch; b++)
      wasm.copyRows(
        ...([hBefore + bytesOf((b * time + 1) * units), units] as const),
        ...([allStates + bytesOf(b * time * states), states, time - 1, units] as const),
      )
    wasm.sgemm(
      ...([true, false, units, gates, rows, 1, hBefore, units] as const),
      ...([dz, gates, dRecurrent, gates, false, scratch] as const),
    )
    wasm.sumColumns(dz, dBias, scratch, 1, rows, gates, 1)
  })
  return gradients
}

type Six = [number, number, number, number, number, number]
