import { expect, it } from 'vitest'
import { allowDirectives, directivesFirst } from './webgpu-directives'

it('moves enable lines, and nothing else, to the head', () => {
  const code =
    'var<private> a : i32;\n  enable f16;\nenable subgroups, clip_distances;\nfn enable(x : i32) {}'
  expect(directivesFirst(code)).toBe(
    'enable f16;\nenable subgroups, clip_distances;\nvar<private> a : i32;\n\n\nfn enable(x : i32) {}',
  )
  expect(directivesFirst('fn main() {}')).toBe('fn main() {}')
})

it('prepares a device once', () => {
  const compiled: string[] = []
  const device = {
    createShaderModule: ({ code }: { code: string }) => {
      compiled.push(code)
    },
  }
  allowDirectives(device)
  const { createShaderModule } = device
  allowDirectives(device)
  expect(device.createShaderModule).toBe(createShaderModule)
  device.createShaderModule({ code: 'fn f() {}\nenable f16;' })
  expect(compiled).toEqual(['enable f16;\nfn f() {}\n'])
})
