/**
 * Runs the WebGPU kernels on wgpu, from Python, where there is an adapter with half floats: Dawn's SwiftShader has none, and Dawn refuses
 * Debian's lavapipe, which has.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import type { RunWgsl, WgslProgram } from '@tfgraft/backends'

const python = process.env.TFGRAFT_PYTHON

/** What `compute` gets instead of the tools of a kernel. Its programs are recorded, and run when it has returned. */
export type Compute = (tools: { run: RunWgsl; features: ReadonlySet<string> }) => tf.TensorInfo[]

/** Runs the programs of `compute` on an adapter with these features; the numbers of the tensors that it returns, and the adapter's name. */
export function onWgpu(
  features: readonly string[],
  compute: Compute,
): { device: string; values: number[][] } {
  if (!python) throw new Error('TFGRAFT_PYTHON must name a Python that has wgpu and numpy.')
  const buffers: (number[] | number)[] = []
  const places = new Map<object, number>()
  const place = (dataId: object, content: () => number[] | number) => {
    if (!places.has(dataId)) places.set(dataId, buffers.push(content()) - 1)
    return places.get(dataId)!
  }
  const programs: object[] = []
  const run: RunWgsl = (program, inputs, { uniforms = [] } = {}) => {
    const size = tf.util.sizeFromShape([...program.outputShape])
    const result = { dataId: {}, shape: [...program.outputShape], dtype: 'float32' as const }
    const words = new Uint32Array(
      [
        new Int32Array([size]),
        ...uniforms.map(({ type, data }) =>
          type === 'float32' ? new Float32Array(data) : new Int32Array(data),
        ),
      ].flatMap((values) => Array.from(new Uint32Array(values.buffer))),
    )
    programs.push({
      code: wholeShader(program),
      buffers: [
        place(result.dataId, () => size),
        ...inputs.map(({ dataId, shape, dtype }) =>
          place(dataId, () =>
            Array.from(tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype }).dataSync()),
          ),
        ),
      ],
      uniforms: [...words, ...new Array((4 - (words.length % 4)) % 4).fill(0)],
      workgroups: program.workgroups ?? [Math.ceil(size / 64), 1, 1],
    })
    return result
  }
  const outputs = compute({ run, features: new Set(features) })
  const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, 'run_programs.py')], {
    input: JSON.stringify({ features, buffers, programs }),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // All drivers of the machine, not only the one that Dawn is given.
    env: { ...process.env, VK_ICD_FILENAMES: undefined },
  })
  if (status !== 0) throw new Error(`run_programs.py failed: ${stderr}`)
  const { device, buffers: read } = JSON.parse(stdout) as { device: string; buffers: number[][] }
  return { device, values: outputs.map(({ dataId }) => read[places.get(dataId)!]!) }
}

/** A program with the declarations that tfjs writes around it. */
function wholeShader({
  inputs,
  wgsl,
  uniforms = '',
  enable = [],
  workgroupSize = [64, 1, 1],
}: WgslProgram): string {
  return /* wgsl */ `
    ${enable.map((extension) => `enable ${extension};`).join('\n')}
    var<private> localId : vec3<u32>;
    var<private> localIndex : u32;
    var<private> workgroupId : vec3<u32>;
    struct Uniforms { size : i32, ${uniforms} };
    @group(0) @binding(0) var<storage, read_write> result : array<f32>;
    ${inputs.map((name, i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name} : array<f32>;`).join('\n')}
    @group(0) @binding(${inputs.length + 1}) var<uniform> uniforms : Uniforms;
    ${wgsl}
    @compute @workgroup_size(${workgroupSize})
    fn _start(
      @builtin(local_invocation_id) LocalId : vec3<u32>,
      @builtin(local_invocation_index) LocalIndex : u32,
      @builtin(workgroup_id) WorkgroupId : vec3<u32>,
      @builtin(global_invocation_id) GlobalId : vec3<u32>,
    ) {
      localId = LocalId;
      localIndex = LocalIndex;
      workgroupId = WorkgroupId;
      main(i32(GlobalId.x));
    }`
}
