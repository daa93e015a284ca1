#!/usr/bin/env node
/** `tfgraft-backends`: the backends of this machine, measured. */
import { defineCommand, runMain } from 'citty'
import { backendReport } from './report/backend-report'
import { formatReport } from './report/format-report'

const main = defineCommand({
  meta: {
    name: 'tfgraft-backends',
    description:
      'Lists the TensorFlow.js backends of this machine, measures them, and says which one `auto` takes.',
  },
  args: {
    measure: {
      type: 'boolean',
      default: true,
      description: 'time a product and an addition on each (--no-measure to skip)',
    },
    json: { type: 'boolean', default: false, description: 'print the report as JSON' },
  },
  async run({ args }) {
    const report = await backendReport({ measure: args.measure })
    console.log(args.json ? JSON.stringify(report, null, 2) : formatReport(report))
  },
})

runMain(main)
