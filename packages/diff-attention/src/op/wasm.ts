/**
 * The wasm kernels: JavaScript walks over examples and groups of heads, `assembly/` does one head. Keys and values are
 * packed once per group, into scratch of the size of one group's keys and values. Threads share the queries of a head forwards,
 * and groups of heads backwards.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { HeapTensor, WasmHeap } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'
import { type AttentionInputs, type AttentionProblem, keyHeadOf } from './options'

interface Context<I> {
  heap: WasmHeap
  inputs: I
  attrs: AttentionProblem
}

/** Constants of `assembly/`. */
const TILE = 32
const PANEL = 8
/** Numbers of a row of arguments of `attendBackwardEach`. */
const ARGUMENTS = 32
/** About what one thread computes, to tell work that is worth sharing. */
const FLOPS_PER_NS = 25

const whole = (n: number) => (n + 3) & ~3
/** Floats of a row of weights, see `strip` in `assembly/scores.ts`. */
const strip = (keys: number) => whole(keys) + 16
const panels = (n: number) => Math.ceil(n / PANEL) * PANEL

/** Byte strides of an example, a head and a row. */
interface Strides {
  batch: number
  head: number
  row: number
}

const strides = (heads: number, length: number, width: number, { layout }: AttentionProblem): Strides => {
  const batch = heads * length * width * 4
  return layout === 'heads-first'
    ? { batch, head: length * width * 4, row: width * 4 }
    : { batch, head: width * 4, row: heads * width * 4 }
}

/** Addresses of everything that belongs to one example and head. */
function addresses({ heap, inputs, attrs }: Context<AttentionInputs>) {
  const { maps, heads, keyHeads, valueHeads, queries, keys, width, valueWidth } = attrs
  const { q, k, v, lambda, mask, keyBias } = inputs
  const [qs, ks, vs, os, ls] = [
    strides(heads * maps, queries, width, attrs),
    strides(keyHeads, keys, width, attrs),
    strides(valueHeads, keys, valueWidth, attrs),
    strides(heads, queries, valueWidth, attrs),
    lambda?.rank ? strides(heads, queries, 1, attrs) : { batch: 0, head: 0, row: 0 },
  ] as const
  const [qp, kp, vp, lp, mp, kbp] = [q, k, v, lambda, mask, keyBias].map((x) =>
    x ? heap.pointer(x) : 0,
  ) as [number, number, number, number, number, number]
  const maskHeads = mask && mask.rank === 4 ? mask.shape[1]! : 1
  const maskBatch = mask && mask.rank === 4 && mask.shape[0]! > 1 ? 1 : 0
  const map = queries * keys * 4
  return {
    qs,
    os,
    ls,
    ks,
    vs,
    query: (b: number, h: number, m: number) => qp + b * qs.batch + (h * maps + m) * qs.head,
    key: (b: number, head: number) => kp + b * ks.batch + head * ks.head,
    value: (b: number, g: number) => vp + b * vs.batch + g * vs.head,
    lambda: (b: number, h: number) => lp + b * ls.batch + h * ls.head,
    mask: (b: number, h: number) =>
      mask ? mp + (b * maskBatch * maskHeads + (maskHeads > 1 ? h : 0)) * map : 0,
    keyBias: (b: number) => (keyBias ? kbp + b * keys * 4 : 0),
  }
}

/** Key heads of a group: two in version 1, one in plain attention and version 2. */
const slots = ({ keyHeads, valueHeads }: AttentionProblem) => keyHeads / valueHeads

export function forwardOnWasm(context: Context<AttentionInputs>): HeapTensor {
  const { heap, attrs } = context
  const { maps, batch, heads, valueHeads, queries, keys, width, valueWidth, scale, causal } = attrs
  const shape =
    attrs.layout === 'heads-first' ? [batch, heads, queries, valueWidth] : [batch, queries, heads, valueWidth]
  const out = heap.output(shape)
  const at = addresses(context)
  const { decode, packColumns, packRows } = heap.kernels(kernels)
  const repeats = heads / valueHeads
  const outAt = (b: number, h: number) => out.pointer + b * at.os.batch + h * at.os.head

  if (queries === 1) {
    // Packing would cost as much as the product. Causality hides nothing from the last query.
    heap.scratch(2 * whole(keys) * 4, (scratch) => {
      for (let b = 0; b < batch; b++)
        for (let h = 0; h < heads; h++)
          decode(
            at.query(b, h, 0),
            maps === 2 ? at.query(b, h, 1) : 0,
            width,
            scale,
            at.key(b, keyHeadOf(attrs, h, 0)),
            maps === 2 ? at.key(b, keyHeadOf(attrs, h, 1)) : 0,
            at.ks.row,
            at.value(b, Math.floor(h / repeats)),
            at.vs.row,
            keys,
            valueWidth,
            at.lambda(b, h),
            at.mask(b, h),
            at.keyBias(b),
            outAt(b, h),
            scratch,
          )
    })
    return out
  }

  const keyBytes = panels(keys) * width * 4
  const valueBytes = panels(valueWidth) * keys * 4
  const tileBytes = TILE * (2 * strip(keys) + whole(width) + whole(valueWidth) + 2) * 4
  const flops = 2 * keys * (maps * width + valueWidth) * (causal ? 0.5 : 1) // of one query
  heap.scratch(slots(attrs) * keyBytes + valueBytes, (keyPanels) => {
    const valuePanels = keyPanels + slots(attrs) * keyBytes
    for (let b = 0; b < batch; b++)
      for (let g = 0; g < valueHeads; g++) {
        for (let slot = 0; slot < slots(attrs); slot++)
          packRows(at.key(b, g * slots(attrs) + slot), at.ks.row, keys, width, keyPanels + slot * keyBytes)
        packColumns(at.value(b, g), at.vs.row, keys, valueWidth, valuePanels)
        for (let h = g * repeats; h < (g + 1) * repeats; h++) {
          const panelsOf = (m: number) => keyPanels + (keyHeadOf(attrs, h, m) - g * slots(attrs)) * keyBytes
          heap.parallelFor(kernels, 'attendForward', {
            ...{ length: queries, multiple: TILE, scratch: tileBytes, cost: flops / FLOPS_PER_NS },
            parameters: (start, count, scratch) => {
              // The last queries first: with causality they take longest, and no thread is to wait for them at the end.
              const first = queries - start - count
              const row = (address: number, stride: number) => address && address + first * stride
              return [
                row(at.query(b, h, 0), at.qs.row),
                maps === 2 ? row(at.query(b, h, 1), at.qs.row) : 0,
                at.qs.row,
                count,
                width,
                scale,
                panelsOf(0),
                maps === 2 ? panelsOf(1) : 0,
                valuePanels,
                keys,
                valueWidth,
                row(at.lambda(b, h), at.ls.row),
                at.ls.row,
                causal,
                keys - queries + first,
                row(at.mask(b, h), keys * 4),
                keys * 4,
                at.keyBias(b),
                row(outAt(b, h), at.os.row),
                at.os.row,
                scratch,
              ]
            },
          })
        }
      }
  })
  return out
}

/** Gradients to q, k, v, and to lambda per token and head (`[1]`, unused, in plain attention). */
export function backwardOnWasm(
  context: Context<AttentionInputs & { dy: tf.Tensor }>,
): [HeapTensor, HeapTensor, HeapTensor, HeapTensor] {
  const { heap, inputs, attrs } = context
  const { maps, batch, heads, valueHeads, queries, keys, width, valueWidth, scale, causal, layout } = attrs
  const { q, k, v, dy } = inputs
  const [dq, dk, dv] = [heap.output(q.shape), heap.output(k.shape), heap.output(v.shape)]
  const tokens = layout === 'heads-first' ? [batch, heads, queries] : [batch, queries, heads]
  const dLambda = heap.output(maps === 2 ? tokens : [1])
  const dls = strides(heads, queries, 1, attrs)
  const at = addresses(context)
  const dyp = heap.pointer(dy)
  const { packColumns, packRows, scaleRows } = heap.kernels(kernels)
  const repeats = heads / valueHeads
  const keySlots = slots(attrs)

  const rowBytes = panels(keys) * width * 4
  const columnBytes = panels(width) * keys * 4
  const valueBytes = panels(keys) * valueWidth * 4
  const dKeyBytes = whole(keys) * whole(width) * 4
  const dValueBytes = whole(keys) * whole(valueWidth) * 4
  const groupBytes = keySlots * (rowBytes + columnBytes + dKeyBytes) + valueBytes + dValueBytes
  const tileBytes =
    TILE *
    (3 * strip(keys) + 3 * whole(width) + whole(valueWidth) + 2 + panels(Math.max(width, valueWidth))) *
    4

  /** Where the parts of a group's scratch begin. */
  const partsAt = (keyRows: number) => {
    const keyColumns = keyRows + keySlots * rowBytes
    const valueRows = keyColumns + keySlots * columnBytes
    const dKey = valueRows + valueBytes
    return { keyRows, keyColumns, valueRows, dKey, dValue: dKey + keySlots * dKeyBytes }
  }
  type Parts = ReturnType<typeof partsAt>

  const pack = (b: number, g: number, { keyRows, keyColumns, valueRows, dKey }: Parts) => {
    for (let slot = 0; slot < keySlots; slot++) {
      const key = at.key(b, g * keySlots + slot)
      packRows(key, at.ks.row, keys, width, keyRows + slot * rowBytes)
      packColumns(key, at.ks.row, keys, width, keyColumns + slot * columnBytes)
    }
    packRows(at.value(b, g), at.vs.row, keys, valueWidth, valueRows)
    heap.floats(dKey, (keySlots * dKeyBytes + dValueBytes) / 4).fill(0)
  }

  /** The arguments of `attendBackward` for one head, but its scratch. */
  const headArguments = (b: number, g: number, h: number, parts: Parts): number[] => {
    const { keyRows, keyColumns, valueRows, dKey, dValue } = parts
    const second = maps === 2
    const [slot1, slot2] = [0, second ? 1 : 0].map((m) => keyHeadOf(attrs, h, m) - g * keySlots) as [
      number,
      number,
    ]
    const dQuery = (m: number) => dq.pointer + b * at.qs.batch + (h * maps + m) * at.qs.head
    return [
      at.query(b, h, 0),
      second ? at.query(b, h, 1) : 0,
      at.qs.row,
      queries,
      width,
      scale,
      keyRows + slot1 * rowBytes,
      keyRows + slot2 * rowBytes,
      keyColumns + slot1 * columnBytes,
      keyColumns + slot2 * columnBytes,
      valueRows,
      keys,
      valueWidth,
      at.lambda(b, h),
      at.ls.row,
      Number(causal),
      keys - queries,
      at.mask(b, h),
      keys * 4,
      at.keyBias(b),
      dyp + b * at.os.batch + h * at.os.head,
      at.os.row,
      dQuery(0),
      second ? dQuery(1) : 0,
      second ? dLambda.pointer + b * dls.batch + h * dls.head : 0,
      dls.row,
      dKey + slot1 * dKeyBytes,
      dKey + slot2 * dKeyBytes,
      dValue,
    ]
  }

  const unpack = (b: number, g: number, { dKey, dValue }: Parts) => {
    // The queries brought the factor scale log2(e) into the keys' gradient; scale belongs there.
    for (let slot = 0; slot < keySlots; slot++)
      scaleRows(
        dKey + slot * dKeyBytes,
        whole(width) * 4,
        keys,
        width,
        Math.LN2,
        dk.pointer + b * at.ks.batch + (g * keySlots + slot) * at.ks.head,
        at.ks.row,
      )
    scaleRows(
      dValue,
      whole(valueWidth) * 4,
      keys,
      valueWidth,
      1,
      dv.pointer + b * at.vs.batch + g * at.vs.head,
      at.vs.row,
    )
  }

  // Threads share groups of heads, whose gradients to keys and values add up: as many at a time as there is scratch for.
  const groups = Array.from({ length: batch * valueHeads }, (_, i) => [
    Math.floor(i / valueHeads),
    i % valueHeads,
  ]) as [b: number, g: number][]
  const wave = Math.min(groups.length, heap.threads)
  const argumentBytes = 8 * ARGUMENTS * repeats
  const flops = 2 * queries * keys * (3 * maps * width + 2 * valueWidth) * (causal ? 0.5 : 1) * repeats
  heap.scratch(wave * (groupBytes + argumentBytes), (address) => {
    const argumentsAt = address + wave * groupBytes
    for (let from = 0; from < groups.length; from += wave) {
      const some = groups.slice(from, from + wave)
      const parts = some.map((_, i) => partsAt(address + i * groupBytes))
      for (const [i, [b, g]] of some.entries()) {
        pack(b, g, parts[i]!)
        for (let r = 0; r < repeats; r++)
          new Float64Array(
            heap.floats(argumentsAt, 0).buffer,
            argumentsAt + i * argumentBytes + r * 8 * ARGUMENTS,
            ARGUMENTS,
          ).set(headArguments(b, g, g * repeats + r, parts[i]!))
      }
      heap.parallelFor(kernels, 'attendBackwardEach', {
        ...{ length: some.length, scratch: tileBytes, cost: flops / FLOPS_PER_NS },
        parameters: (start, count, scratch) => [
          argumentsAt + start * argumentBytes,
          count * repeats,
          scratch,
        ],
      })
      for (const [i, [b, g]] of some.entries()) unpack(b, g, parts[i]!)
    }
  })
  if (maps === 1) heap.floats(dLambda.pointer, 1).fill(0)
  return [dq, dk, dv, dLambda]
}
