/** Picks named entries, with errors that name the value and the choices. */

/** The entries of `all` called `names` (comma separated), in that order. `what` names them in errors. */
export function choose<T extends { readonly name: string }>(
  what: string,
  names: string,
  all: readonly T[],
): T[] {
  const chosen = names
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .map((name) => {
      const entry = all.find((candidate) => candidate.name === name)
      if (!entry)
        throw unknownChoice(
          what,
          name,
          all.map((candidate) => candidate.name),
        )
      return entry
    })
  if (chosen.length === 0)
    throw unknownChoice(
      what,
      names,
      all.map((candidate) => candidate.name),
    )
  return [...new Set(chosen)]
}

export const unknownChoice = (what: string, received: string, choices: readonly string[]): Error =>
  new UsageError(`unknown ${what} '${received}'. Choose from: ${choices.join(', ')}.`)

/** A mistake in the command line: shown without a stack. */
export class UsageError extends Error {
  override name = 'UsageError'
}
