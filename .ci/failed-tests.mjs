/**
 * What vitest's JSON reports in a folder say: `node .ci/failed-tests.mjs FOLDER` names every test that did not pass, with the first line
 * of its error; with `--count`, it prints two numbers instead: tests passed, and tests failed or skipped.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const [folder, mode] = process.argv.slice(2)
const counts = { passed: 0, failed: 0 }
const lines = []
const firstLine = (text = 'no message') =>
  text.split('\n', 1)[0].replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '')

for (const file of readdirSync(folder).filter((name) => /^tests-.*json$/.test(name))) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  counts.passed += report.numPassedTests
  counts.failed += report.numFailedTests + report.numPendingTests + report.numTodoTests
  for (const { name, status, message, assertionResults } of report.testResults) {
    const path = relative('.', name)
    const unpassed = assertionResults.filter((test) => test.status !== 'passed')
    for (const test of unpassed)
      lines.push(
        `${test.status} test: ${path} > ${test.fullName}\n    ${firstLine(test.failureMessages?.[0])}`,
      )
    // A file that cannot be imported has no tests.
    if (status === 'failed' && unpassed.length === 0)
      lines.push(`failed file: ${path}\n    ${firstLine(message)}`)
  }
}

if (mode === '--count') console.log(counts.passed, counts.failed)
else for (const line of lines) console.log(line)
