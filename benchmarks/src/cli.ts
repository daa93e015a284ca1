#!/usr/bin/env node
import { type CommandDef, defineCommand, renderUsage, runCommand } from 'citty'
import '@tensorflow/tfjs-layers' // registers tfjs's gradients
import { UsageError, unknownChoice } from './choices'
import { checkFlags, joinNegativeNumbers } from './commands/check-flags'
import { compare } from './commands/compare'
import { choicesText, list } from './commands/list'
import { render } from './commands/render'
import { run } from './commands/run'
import { runArguments } from './commands/run-arguments'
import { tune } from './commands/tune'
import { worker } from './commands/worker'

const subCommands = { run, worker, render, compare, tune, list }

const main = defineCommand({
  meta: {
    name: 'tfgraft-bench',
    description:
      'Trains the same models by different methods, from the same initial weights on the same batches, and compares quality, ' +
      'time per step and memory. Prints tables and writes a report (index.html) with learning curves.',
  },
  args: runArguments,
  default: 'run',
  subCommands,
})

const examples = `Examples
  tfgraft-bench                                  the quick suite: all four methods, in minutes
  tfgraft-bench --seeds 5 --out my-run           five seeds, with intervals; the same line again resumes after Ctrl-C
  tfgraft-bench --tasks mnist-mlp-30 --epochs 2  one task, shorter
  tfgraft-bench --method ./my-method.ts          your own method beside the built-in ones
  tfgraft-bench --config my-suite.yaml           a suite of your own
  tfgraft-bench --suite all --queue redis://host trials on every machine that runs: tfgraft-bench worker --queue redis://host
  tfgraft-bench render my-run                    tables and report again, without training
  tfgraft-bench compare main-run my-run          fails when something got worse

In the repository, \`pnpm bench\` builds and runs this command: \`pnpm bench --seeds 3\`.`

const rawArgs = joinNegativeNumbers(process.argv.slice(2))
try {
  const named = rawArgs[0] !== undefined && !rawArgs[0].startsWith('-')
  const command = Object.entries(subCommands).find(([name]) => name === rawArgs[0])?.[1]
  if (named && !command) throw unknownChoice('command', rawArgs[0]!, Object.keys(subCommands))
  if (rawArgs.some((argument) => argument === '--help' || argument === '-h')) {
    if (command) console.log(await renderUsage(command as CommandDef, main as CommandDef))
    else console.log(`${await renderUsage(main)}\n\n${choicesText()}\n\n${examples}`)
  } else {
    if (!command) checkFlags(rawArgs, runArguments) // before citty takes a misspelt option's value for a command
    await runCommand(main, { rawArgs })
  }
} catch (error) {
  const expected = error instanceof UsageError || (error as Error).name === 'CLIError'
  console.error(expected ? `tfgraft-bench: ${(error as Error).message}` : error)
  process.exitCode = expected ? 2 : 1
}
