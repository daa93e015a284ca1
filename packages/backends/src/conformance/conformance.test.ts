import { describeBackends } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { opCases } from './cases/all'
import { complaints, measure, truthOf } from './measure'

describeBackends('every op and its gradient', (backend) => {
  for (const { area, cases } of opCases)
    describe(area, () => {
      it.each(cases.filter(({ only }) => !only || only.includes(backend)))('$name', async (c) => {
        expect(complaints(c, await measure(c, truthOf(c)))).toEqual([])
      })
    })
})
