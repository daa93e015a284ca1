import { expect, it } from 'vitest'
import { compose, identity } from './compose'
import type { Method } from './method'

const method = (name: string): Method<string> => ({
  name,
  paper: { ...identity.paper, title: name },
  apply: (setup) => `${setup}${name}`,
})

it('applies methods from left to right and keeps all names and papers', () => {
  const both = compose(method('a'), compose(method('b'), method('c')))
  expect(both.apply('>')).toBe('>abc')
  expect(both.name).toBe('a + b + c')
  expect(both.papers?.map(({ title }) => title)).toEqual(['a', 'b', 'c'])
})

it('the empty composition and identity return the very same setup', () => {
  const setup = {}
  expect(compose<object>().apply(setup)).toBe(setup)
  expect(compose<object>(identity, identity).apply(setup)).toBe(setup)
})

it('rejects what is not a method', () => {
  expect(() => compose(undefined as unknown as Method)).toThrow('Received undefined')
})
