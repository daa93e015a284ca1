/** Imports a package that users install only if they want its backend. Bundlers must not look for it. */
export function importOptional<T>(name: string): Promise<T> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name) as Promise<T>
}

/** Whether an import failed because the package `name` itself is not there, rather than something within it. */
export function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: string; message?: string }
  const notFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  return notFound && new RegExp(`['"\`]${name.replace('/', '\\/')}['"\`]`).test(message ?? '')
}
