/** A misspelt option must not quietly mean its default: JavaScript has no compiler to find it. */
export function rejectUnknown(name: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw new Error(`${name}: there is no option \`${unknown}\`. Choose from ${known.join(', ')}.`)
}
