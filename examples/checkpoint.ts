// npm run checkpoint -- PATH: prints what a checkpoint holds, or the newest one in a directory.
import { checkpoints } from 'lockstep'

await checkpoints.print(process.argv[2] ?? '.')
