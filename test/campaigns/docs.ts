import { rmSync } from 'node:fs'
import { asShown, compared, craft, craftFolder, pageOf, ran, shownIn } from '../../docs/commands.ts'
import { Engine } from '../../src/runtime/engine.ts'
import type { Campaign } from './index.ts'

/** Every command of the pages about the craft, in an empty folder: it prints what they show. */
export const docs: Campaign = async print => {
  const failures: string[] = []
  const exact = new Engine().module.numerics === 'fused'
  if (!exact) print('without fused multiply-add numbers differ: words alone are compared')
  const folder = craftFolder()
  for (const name of craft)
    for (const shown of shownIn(pageOf(name))) {
      print(`$ ${shown.line}`)
      const { lines } = await ran(shown.line, folder)
      const printed = asShown(shown, lines)
      for (const line of printed) print(line)
      const [want, got] = [shown.prints, printed].map(each => compared(each, exact).join('\n'))
      if (want !== got) failures.push(`docs/${name}: ${shown.line}\n${want}\ngot\n${got}`)
    }
  rmSync(folder, { recursive: true, force: true })
  return failures
}
