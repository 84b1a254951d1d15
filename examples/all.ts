// npm run examples [-- --workers N --seed N]: every example that has a bound, in full; exit code 1 if one is missed.
import { anomalies } from './anomalies.ts'
import { fashion } from './fashion.ts'
import { gpt } from './gpt.ts'
import { commandLine, meets, type Score } from './score.ts'
import { spam } from './spam.ts'
import { tabular } from './tabular.ts'
import { weather } from './weather.ts'

const options = commandLine()
const rows: { score: Score; seconds: number }[] = []
const failed: string[] = []
for (const example of [tabular, weather, anomalies, spam, fashion, gpt]) {
  console.log(`\n${example.name}`)
  const started = performance.now()
  try {
    const scores = await example(options)
    const seconds = (performance.now() - started) / 1000
    rows.push(...scores.map(score => ({ score, seconds })))
  } catch (error) {
    // Data that cannot be had must not hide what the others reach.
    failed.push(`${example.name}: ${(error as Error).message}`)
  }
}

const width = Math.max(...rows.map(({ score }) => score.name.length))
console.log(`\n${'score'.padEnd(width)}     value     bound  seconds`)
for (const { score, seconds } of rows) {
  const { name, value, bound, better } = score
  const limit = `${better === 'atLeast' ? '≥' : '≤'} ${bound}`
  const end = meets(score) ? '' : '  missed'
  console.log(
    `${name.padEnd(width)}  ${value.toFixed(4).padStart(8)}  ${limit.padStart(8)}  ${seconds.toFixed(0).padStart(7)}${end}`,
  )
}
for (const message of failed) console.log(`not run: ${message}`)
if (failed.length > 0 || !rows.every(({ score }) => meets(score))) process.exitCode = 1
