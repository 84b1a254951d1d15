import { show } from '../errors.ts'
import type { Layer } from './define.ts'
import * as layers from './table.ts'

/** Makes layers of one class from their saved options. */
interface AnyFactory {
  (config: never): Layer
  readonly className: string
  readonly defaults: object
}

const own: ReadonlySet<string> = new Set([
  ...Object.values(layers).map(({ className }) => className),
  'Sequential',
  'Model',
  'Functional',
])
const registered = new Map<string, AnyFactory>()

/** Every class of layers that files may name. */
export const knownClasses = (): readonly AnyFactory[] => [
  ...(Object.values(layers) as unknown as AnyFactory[]),
  ...registered.values(),
]

/** Whether a class of layers is one of Lockstep's. */
export const isOwn = (className: string): boolean => own.has(className)

/** What lets saved models with layers of your own be loaded. */
export const serialization = {
  /**
   * Lets `loadLayersModel` make layers of this class, which `defineLayer` or `defineMergeLayer` gave. A class that is
   * registered again takes the place of the former.
   * @throws TypeError for something else, RangeError for the name of a layer of Lockstep's
   */
  registerClass(factory: AnyFactory): void {
    const { className } = typeof factory === 'function' ? factory : { className: undefined }
    if (typeof className !== 'string' || typeof factory.defaults !== 'object')
      throw new TypeError(
        `registerClass: it must be given what defineLayer made, got ${show(factory)}; give the function, not a layer`,
      )
    if (own.has(className) && !knownClasses().includes(factory))
      throw new RangeError(
        `registerClass: className must not be a layer of Lockstep's, got "${className}"; choose another name`,
      )
    if (!own.has(className)) registered.set(className, factory)
  },
}
