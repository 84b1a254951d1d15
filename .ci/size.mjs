// Keeps the published package small: fails when the packed file, or what it unpacks to, exceeds its budget.
import { execFileSync } from 'node:child_process'

// Raise them by what a change is worth, unpackedSize never above 1_500_000: that is promised.
const budgets = { size: 520_000, unpackedSize: 1_496_000 }
const [packed] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { encoding: 'utf8' }))
const { size, unpackedSize, files } = packed
console.log(`The package has ${files.length} files, ${size} bytes packed and ${unpackedSize} unpacked.`)
for (const [name, budget] of Object.entries(budgets)) {
  if (packed[name] <= budget) continue
  console.error(`size: ${name} must be at most ${budget} bytes, got ${packed[name]}; ship less`)
  process.exitCode = 1
}
