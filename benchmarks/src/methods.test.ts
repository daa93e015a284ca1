import { identity, type Method } from '@tfgraft/core'
import { expect, it } from 'vitest'
import { type MethodEntry, resolveMethods, settingsFor } from './methods'

const entry = (name: string): MethodEntry => ({
  name,
  kind: 'any',
  summary: name,
  create: (hyperparameters): Method<unknown> => ({
    name,
    paper: identity.paper,
    apply: (setup) => [...(setup as unknown[]), name, hyperparameters],
  }),
})
const all = ['backprop', 'a', 'b'].map(entry)

it('the baseline comes first and once, whether named or not', () => {
  expect(resolveMethods('a', all).map(({ name }) => name)).toEqual(['backprop', 'a'])
  expect(resolveMethods('b, backprop,a,b', all).map(({ name }) => name)).toEqual(['backprop', 'b', 'a'])
})

it('a plus composes from left to right with the same hyperparameters', () => {
  const composed = resolveMethods('b+a', all)[1]!
  expect(composed.name).toBe('b+a')
  expect(composed.create({ x: 1 }).apply([])).toEqual(['b', { x: 1 }, 'a', { x: 1 }])
})

it('an unknown method is answered with the choices', () => {
  expect(() => resolveMethods('a,c', all)).toThrow("unknown method 'c'. Choose from: backprop, a, b.")
  expect(() => resolveMethods('a+c', all)).toThrow("unknown method 'c'")
  expect(() => resolveMethods(' ', all)).toThrow('`--methods` names no method.')
})

it('settings are the own ones, or the baseline overlaid by those of the parts', () => {
  const settings = {
    backprop: { chosen: { rate: 1, momentum: 0.9 }, grid: [], validated: true },
    a: { chosen: { rate: 2 }, grid: [], validated: true },
    b: { chosen: { tau: 3 }, grid: [], validated: false },
  }
  expect(settingsFor('a', settings)).toEqual({ hyperparameters: { rate: 2 }, tuned: true })
  expect(settingsFor('b', settings)).toEqual({ hyperparameters: { tau: 3 }, tuned: false })
  expect(settingsFor('own', settings)).toEqual({ hyperparameters: { rate: 1, momentum: 0.9 }, tuned: false })
  expect(settingsFor('a+b', settings)).toEqual({
    hyperparameters: { rate: 2, momentum: 0.9, tau: 3 },
    tuned: false,
  })
})
