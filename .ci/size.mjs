// Keeps the published package small: fails when the packed file exceeds its budget.
import { execFileSync } from 'node:child_process'

const budget = 560_000
const [{ size, files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { encoding: 'utf8' }))
console.log(`The package has ${files.length} files and ${size} bytes; ${budget} are allowed.`)
if (size > budget) process.exit(1)
