/** `tfgraft-bench list`: what there is to choose from. */
import { defineCommand } from 'citty'
import { builtInMethods } from '../methods'
import { suites, tasks } from '../suites'

/** Suites, tasks and methods, one line each. */
export function choicesText(): string {
  const block = (title: string, entries: readonly { name: string; text: string }[]) => {
    const width = Math.max(...entries.map(({ name }) => name.length))
    return [title, ...entries.map(({ name, text }) => `  ${name.padEnd(width)}  ${text}`)].join('\n')
  }
  return [
    block(
      'Suites',
      suites.map(({ name, summary, entries }) => ({
        name,
        text: `${summary} (${entries.map(({ task }) => task.name).join(', ')})`,
      })),
    ),
    block(
      'Tasks',
      tasks.map(({ name, title }) => ({ name, text: title })),
    ),
    block(
      'Methods',
      builtInMethods.map(({ name, summary }) => ({ name, text: summary })),
    ),
  ].join('\n\n')
}

export const list = defineCommand({
  meta: { name: 'list', description: 'List suites, tasks and methods.' },
  run: () => console.log(choicesText()),
})
