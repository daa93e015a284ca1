/** What is wrong with a user's file, with the path and the value. */
import type { z } from 'zod'

/** One sentence per problem: `entries[0].epochs: Invalid input: expected number, received string. Received "five".` */
export function describeIssues(error: z.ZodError, received: unknown): string {
  return error.issues
    .map(({ path, message, code, ...rest }) => {
      const keys = code === 'unrecognized_keys' ? (rest as { keys: string[] }).keys : []
      const at = [...path, ...keys.slice(0, 1)]
      const where = at
        .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index ? '.' : ''}${String(key)}`))
        .join('')
      const value = at.reduce<unknown>(
        (within, key) => (within as Record<PropertyKey, unknown> | undefined)?.[key],
        received,
      )
      return `${where || 'all of it'}: ${message.replace(/\.$/, '')}. Received ${shown(value)}.`
    })
    .join(' ')
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
