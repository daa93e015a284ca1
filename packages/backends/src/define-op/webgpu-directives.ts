/**
 * `enable` directives of WGSL must stand before everything else in a shader, where tfjs writes its own declarations. So they are moved
 * there as the shader reaches the device.
 */

/** The part of a WebGPU device that compiles. */
export interface ShaderDevice {
  createShaderModule(descriptor: { code: string; label?: string }): unknown
}

const prepared = new WeakSet<ShaderDevice>()

/** Lets shaders of this device hold lines such as `enable f16;` anywhere. Further calls do nothing. */
export function allowDirectives(device: ShaderDevice): void {
  if (prepared.has(device)) return
  prepared.add(device)
  const createShaderModule = device.createShaderModule.bind(device)
  device.createShaderModule = (descriptor) =>
    createShaderModule({ ...descriptor, code: directivesFirst(descriptor.code) })
}

/** The same code with its `enable` lines at the head. */
export function directivesFirst(code: string): string {
  const directives: string[] = []
  const rest = code.replaceAll(/^[ \t]*enable [\w, ]+;[ \t]*$/gm, (directive) => {
    directives.push(directive.trim())
    return ''
  })
  return [...directives, rest].join('\n')
}
